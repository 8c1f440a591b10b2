import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import type { LoadPlan } from "../contract/load-tests.ts";
import type { Ended } from "./tally.ts";

export type Result = Ended["result"];

/** What is told of a request: that it has a connection, and exactly once what became of it. */
interface Told {
  sent(): void;
  ended(result: Result): void;
}

/** Sends the requests of a plan, each by its index: the plan's own is the first. */
export interface Senders {
  send(request: number, told: Told): void;
  close(): void;
}

/** Sends requests of one shape over so many connections. */
interface Sender {
  send(told: Told): void;
}

export function createSenders(plan: LoadPlan): Senders {
  const pools = new Map<string, Pool>();
  const shapes = [
    plan,
    ...plan.also.map(({ headers = plan.headers, body = plan.body, ...one }) => ({ ...plan, ...one, headers, body })),
  ];
  const senders = shapes.map((shape) =>
    plan.protocol === "http2" ? createHttp2Sender(shape, pools) : createHttp1Sender(shape, pools),
  );
  return {
    send: (request, told) => senders[request]?.send(told),
    close() {
      for (const { close } of pools.values()) close();
    },
  };
}

/** Connections that several shapes have together, by where they lead. */
interface Pool {
  close(): void;
}
interface Http1Pool extends Pool {
  agent: http.Agent;
}
interface Http2Pool extends Pool {
  session(): http2.ClientHttp2Session;
}

function pooled<P extends Pool>(pools: Map<string, Pool>, key: string, make: () => P): P {
  const known = pools.get(key) as P | undefined;
  const pool = known ?? make();
  pools.set(key, pool);
  return pool;
}

/** Ends once: by its answer, by an error or by the clock, which runs while it waits for a connection, too. */
function once(timeoutMs: number, cancel: () => void, { sent, ended }: Told) {
  let isSent = false;
  let timer: NodeJS.Timeout | undefined = setTimeout(() => {
    finish({ failure: isSent ? "timeout" : "no connection in time" });
    cancel();
  }, timeoutMs);
  const finish = (result: Result): void => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    ended(result);
  };
  const begin = (): void => {
    isSent = true;
    if (timer !== undefined) sent();
  };
  return { finish, begin };
}

const reasonOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message;

/**
 * Who asks for the wrong path, or is turned away by a limit (429), has not measured the service: a client's error is no good answer here.
 * gRPC says in a trailer, or in the head of an answer without a body, what its HTTP status of 200 does not.
 */
const isOk = (status: number, grpcStatus: unknown): boolean =>
  status < 400 && (grpcStatus === undefined || grpcStatus === "0");

function createHttp1Sender(shape: LoadPlan, pools: Map<string, Pool>): Sender {
  const { url, method, headers, body, connections, timeoutMs, insecure } = shape;
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const { request, Agent } = protocol === "https:" ? https : http;
  const { agent } = pooled<Http1Pool>(pools, protocol, () => {
    const made = new Agent({
      keepAlive: true,
      maxSockets: connections,
      maxFreeSockets: connections,
      scheduling: "fifo",
    });
    return { agent: made, close: () => made.destroy() };
  });
  const options: https.RequestOptions = {
    // An IPv6 address stands in brackets in a URL alone.
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port,
    path: pathname + search,
    method,
    headers: {
      "user-agent": "limpid-load",
      ...headers,
      ...(body !== "" && { "content-length": Buffer.byteLength(body) }),
    },
    agent,
    rejectUnauthorized: !insecure,
    servername: serverName(headers, hostname),
  };
  return {
    send(told) {
      const { finish, begin } = once(timeoutMs, () => call.destroy(), told);
      const call = request(options, (answer) => {
        let bytes = 0;
        answer.on("data", (data: Buffer) => {
          bytes += data.length;
        });
        answer.on("end", () => {
          const status = answer.statusCode ?? 0;
          finish({ status, ok: isOk(status, answer.trailers["grpc-status"] ?? answer.headers["grpc-status"]), bytes });
        });
        answer.on("error", (error) => finish({ failure: reasonOf(error) }));
      });
      call.once("socket", (socket) => {
        if (socket.connecting) socket.once(protocol === "https:" ? "secureConnect" : "connect", begin);
        else begin();
      });
      call.on("error", (error) => finish({ failure: reasonOf(error) }));
      call.end(body);
    },
  };
}

/** The name in TLS is the Host that is asked for, where it is a name. */
function serverName(headers: LoadPlan["headers"], hostname: string): string {
  const [, host] = Object.entries(headers).find(([name]) => name.toLowerCase() === "host") ?? [];
  const name = host?.replace(/:\d+$/, "") ?? hostname;
  return /^[\d.]+$|[:[\]]/.test(name) ? "" : name;
}

function createHttp2Sender(shape: LoadPlan, pools: Map<string, Pool>): Sender {
  const { url, method, headers, body, connections, timeoutMs, insecure } = shape;
  const { origin, host, hostname, pathname, search, protocol } = new URL(url);
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const rest = Object.fromEntries(named.filter(([name]) => name !== "host"));
  const head: http2.OutgoingHttpHeaders = {
    ":method": method,
    ":path": pathname + search,
    ":scheme": protocol.slice(0, -1),
    ":authority": named.find(([name]) => name === "host")?.[1] ?? host,
    "user-agent": "limpid-load",
    ...rest,
  };
  const servername = serverName(headers, hostname);
  const { session } = pooled(pools, `${origin} ${servername}`, () =>
    http2Pool(connections, () => http2.connect(origin, { rejectUnauthorized: !insecure, servername })),
  );
  return {
    send(told) {
      const stream = session().request(head, { endStream: body === "" });
      const { finish, begin } = once(timeoutMs, () => stream.close(http2.constants.NGHTTP2_CANCEL), told);
      let [status, bytes, grpcStatus] = [0, 0, undefined as unknown];
      stream.on("ready", begin);
      stream.on("response", (answer) => {
        status = answer[":status"] ?? 0;
        grpcStatus = answer["grpc-status"];
      });
      stream.on("trailers", (trailers) => {
        grpcStatus = trailers["grpc-status"] ?? grpcStatus;
      });
      stream.on("data", (data: Buffer) => {
        bytes += data.length;
      });
      stream.on("error", (error) => finish({ failure: reasonOf(error) }));
      stream.on("close", () => {
        if (status === 0) finish({ failure: "closed without an answer" });
        else if (stream.rstCode !== 0) finish({ failure: `RST_STREAM ${stream.rstCode}` });
        else finish({ status, ok: isOk(status, grpcStatus), bytes });
      });
      if (body !== "") stream.end(body);
    },
  };
}

function http2Pool(connections: number, connect: () => http2.ClientHttp2Session): Http2Pool {
  const sessions: (http2.ClientHttp2Session | undefined)[] = new Array(connections).fill(undefined);
  let turn = 0;
  return {
    session() {
      const index = turn++ % connections;
      const there = sessions[index];
      if (there && !there.closed && !there.destroyed) return there;
      const made = connect();
      // Its streams end with the same error, and count it.
      made.on("error", () => {});
      sessions[index] = made;
      return made;
    },
    close() {
      for (const one of sessions) one?.destroy();
    },
  };
}
