import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { FrameType } from "../http2/frames.ts";
import { frame } from "../http2/testing/frame.ts";
import { flagNames } from "./response-flags.ts";
import { eventually, Fixtures, staticCluster, type TestPlane, toCluster } from "./test-plane.ts";

// An endpoint that breaks off at every single byte of its response, by FIN and by RST: whoever asked gets what there was and no more, is never left waiting, and the
// record says why. At the end nothing is left of any of it.

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

interface Response {
  readonly bytes: Buffer;
  /** How many bytes a client needs for the head, and for all of it. */
  readonly head: number;
  readonly whole: number;
  /** It ends with its connection. */
  readonly closes?: boolean;
  /** Of the head's fields, in what the client gets. */
  readonly body: string;
}

function http1(head: string, body: string, closes = false, shown = body): Response {
  const bytes = Buffer.from(`${head}\r\n\r\n${body}`, "latin1");
  const headBytes = head.length + 4;
  return { bytes, head: headBytes, whole: bytes.length, closes, body: shown };
}

const literal = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);

function http2(): Response {
  const settings = frame(FrameType.settings, 0, 0);
  const head = frame(FrameType.headers, 4, 1, Buffer.concat([Buffer.from([0x88]), literal("x-a", "1")]));
  const data = frame(FrameType.data, 0, 1, Buffer.from("hello"));
  const trailers = frame(FrameType.headers, 5, 1, literal("x-t", "1"));
  const bytes = Buffer.concat([settings, head, data, trailers]);
  const body = "5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n";
  return { bytes, head: settings.length + head.length, whole: bytes.length, body };
}

const chunks = "3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nx-t: 1\r\n\r\n";
const responses: [string, Response, boolean][] = [
  ["HTTP/1, with a length", http1("HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: 5", "hello"), false],
  ["HTTP/1, in chunks with trailers", http1("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", chunks), false],
  ["HTTP/1, until it closes", http1("HTTP/1.1 200 OK\r\nx-a: 1", "hello", true, "5\r\nhello\r\n0\r\n\r\n"), false],
  ["HTTP/1, after a 103", afterHint("HTTP/1.1 200 OK\r\ncontent-length: 2", "hi"), false],
  ["HTTP/2, with trailers", http2(), true],
];

function afterHint(head: string, body: string): Response {
  const hint = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
  const { bytes, ...rest } = http1(head, body);
  const all = Buffer.concat([Buffer.from(hint), bytes]);
  return { ...rest, bytes: all, head: hint.length + rest.head, whole: all.length };
}

const http2Only = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/** Answers the first request with so many bytes, and breaks off. */
async function breaking(bytes: Buffer, at: () => number, how: () => Ending, isHttp2: boolean): Promise<number> {
  return fixtures.tcp((socket: Socket) => {
    let seen = Buffer.alloc(0);
    socket.on("data", function answer(chunk) {
      seen = Buffer.concat([seen, chunk]);
      if (!(isHttp2 ? hasHeaders(seen) : seen.includes("\r\n\r\n"))) return;
      socket.off("data", answer);
      socket.resume();
      const end = () => (how() === "FIN" ? socket.end() : socket.resetAndDestroy());
      if (at() === 0) end();
      else socket.write(bytes.subarray(0, at()), end);
    });
  });
}

type Ending = "FIN" | "RST";

/** Nothing of the response has come, or its hint and nothing more. */
const betweenMessages = ({ bytes }: Response, at: number): boolean =>
  at === 0 || bytes.subarray(0, at).toString("latin1").endsWith("</a.css>\r\n\r\n");

/** After the preface of 24 bytes. */
function hasHeaders(seen: Buffer): boolean {
  for (let at = 24; at + 9 <= seen.length; at += 9 + seen.readUIntBE(at, 3)) {
    if (seen[at + 3] === FrameType.headers) return at + 9 + seen.readUIntBE(at, 3) <= seen.length;
  }
  return false;
}

async function ask(test: TestPlane): Promise<{ status: string; whole: string }> {
  const client = await fixtures.client(test.port);
  client.send("GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: close\r\n\r\n");
  const received = await client.untilEnd();
  client.socket.destroy();
  // What came ahead of the response is none.
  const final = received.replace(/^HTTP\/1\.1 103 [\s\S]*?\r\n\r\n/, "");
  return { status: /^HTTP\/1\.1 (\d+)/.exec(final)?.[1] ?? "", whole: final.slice(final.indexOf("\r\n\r\n") + 4) };
}

describe.each(responses)("an endpoint that breaks off: %s", (_, response, isHttp2) => {
  it.each(["FIN", "RST"] as Ending[])(
    "by %s, at every byte",
    async (ending) => {
      let at = 0;
      const port = await breaking(
        response.bytes,
        () => at,
        () => ending,
        isHttp2,
      );
      const cluster = staticCluster("up", [port], isHttp2 ? http2Only : {});
      const test = await fixtures.plane({ routes: [toCluster("up")], clusters: [cluster] });
      for (at = 0; at <= response.bytes.length; at++) {
        const { status, whole } = await ask(test);
        await eventually(() => test.records.length === at + 1, `one record at byte ${at}`);
        const flags = flagNames(test.lastRecord.responseFlags);
        const isWhole = response.closes === true ? at >= response.head : at >= response.whole;
        const seen = `${status} ${test.lastRecord.responseCode} ${flags}`;
        // Real Envoy 1.40 said so of HTTP/1 with a length and in chunks (asked by hand); of HTTP/2 this is what ours says.
        const headless = isHttp2 || betweenMessages(response, at) ? "503 503 UC" : "502 502 UPE";
        const broken = isHttp2 ? "200 200 UC" : "200 200 UPE";
        if (ending === "FIN") {
          expect(seen, `at ${at}`).toBe(at < response.head ? headless : isWhole ? "200 200 " : broken);
          if (isWhole && response.closes !== true) expect(whole).toBe(response.body);
        } else {
          // A reset overtakes what was not read before it.
          const possible = ["503 503 UC", headless, ...(at >= response.head ? [broken, "200 200 UC"] : [])];
          if (at >= response.whole && response.closes !== true) possible.push("200 200 ");
          expect(possible, `at ${at}`).toContain(seen);
        }
        // What is not whole must not look so.
        if (flags.length > 0 && status === "200") expect(whole).not.toBe(response.body);
      }
      const left = () =>
        ["cluster.up.upstream_cx_active", "cluster.up.upstream_rq_active", "cluster.up.upstream_rq_pending_active"]
          .concat(["http.test.downstream_cx_active", "http.test.downstream_rq_active"])
          .filter((name) => test.gauge(name) !== 0);
      await eventually(() => left().length === 0, `all is over: ${left()}`);
    },
    120_000,
  );
});
