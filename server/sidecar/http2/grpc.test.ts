import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openClient } from "../../http2/testing/client.ts";
import { forwarding } from "../../http2/testing/proxy.ts";
import { startServer } from "../../http2/testing/server.ts";
import { Fixtures, staticCluster, toCluster } from "../test-plane.ts";

// A real gRPC client and a real gRPC server with the codec between them, as server and as client, and with the whole data path.

const pass = (value: Buffer): Buffer => value;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: pass,
  requestDeserialize: pass,
  responseSerialize: pass,
  responseDeserialize: pass,
});
const service = {
  unary: method("Unary", false, false),
  up: method("Up", true, false),
  down: method("Down", false, true),
  both: method("Both", true, true),
} satisfies ServiceDefinition;

const cleanUps: (() => unknown)[] = [];

/** Each stands before a server at a port, and says where. */
const fronts: [string, (port: number) => Promise<number>][] = [
  [
    "the codec alone",
    async (port) => {
      const up = await openClient(port);
      const front = await startServer(forwarding(() => up.connection));
      cleanUps.push(
        () => front.stop(),
        () => up.stop(),
      );
      return front.port;
    },
  ],
  [
    "the data path",
    async (port) => {
      const fixtures = new Fixtures();
      cleanUps.push(() => fixtures.close());
      const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
      const http2Only = {
        typed_extension_protocol_options: {
          [options]: {
            "@type": `type.googleapis.com/${options}`,
            explicit_http_config: { http2_protocol_options: {} },
          },
        },
      };
      const clusters = [staticCluster("up", [port], http2Only)];
      return (await fixtures.plane({ routes: [toCluster("up")], clusters })).port;
    },
  ],
];

describe.each(fronts)("through %s", (_, front) => {
  let client: Client;

  beforeAll(async () => {
    const server = new Server();
    server.addService(service, {
      unary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        if (call.request.toString() === "fail") {
          done({ code: status.FAILED_PRECONDITION, details: "not now: 100 %" });
          return;
        }
        const trailers = new Metadata();
        trailers.set("seen-bin", call.metadata.get("sent-bin")[0] ?? Buffer.alloc(0));
        done(null, call.request, trailers);
      },
      up: (call: NodeJS.ReadableStream, done: (error: null, answer: Buffer) => void) => {
        let bytes = 0;
        call.on("data", (message: Buffer) => {
          bytes += message.length;
        });
        call.on("end", () => done(null, Buffer.from(String(bytes))));
      },
      down: (call: { request: Buffer; write(message: Buffer): void; end(): void }) => {
        for (let i = 0; i < Number(call.request.toString()); i++) call.write(Buffer.alloc(10_000, i));
        call.end();
      },
      both: (call: NodeJS.ReadableStream & { write(message: Buffer): void; end(): void }) => {
        call.on("data", (message: Buffer) => call.write(message));
        call.on("end", () => call.end());
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    client = new Client(`127.0.0.1:${await front(port)}`, credentials.createInsecure());
    cleanUps.push(
      () => client.close(),
      () => server.forceShutdown(),
    );
  });

  afterAll(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });

  function unary(request: string, metadata = new Metadata()) {
    return new Promise<{ answer?: string; code?: number; details?: string; trailers?: Metadata }>((resolve) => {
      let trailers: Metadata | undefined;
      const { path } = service.unary;
      const call = client.makeUnaryRequest(path, pass, pass, Buffer.from(request), metadata, (error, answer) => {
        setImmediate(() =>
          resolve({ answer: answer?.toString(), code: error?.code, details: error?.details, trailers }),
        );
      });
      call.on("status", (given) => {
        trailers = given.metadata;
      });
    });
  }

  test("unary calls, with metadata both ways", async () => {
    const metadata = new Metadata();
    metadata.set("sent-bin", Buffer.from([0, 255, 10]));
    const { answer, trailers } = await unary("hello", metadata);
    expect(answer).toBe("hello");
    expect(trailers?.get("seen-bin")).toEqual([Buffer.from([0, 255, 10])]);
  });

  test("a status without a message: trailers only", async () => {
    expect(await unary("fail")).toMatchObject({ code: status.FAILED_PRECONDITION, details: "not now: 100 %" });
  });

  test("a thousand unary calls share the connection", async () => {
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, index) => unary(`call ${index}`)));
    expect(answers.map(({ answer }) => answer)).toEqual(answers.map((_, index) => `call ${index}`));
  });

  test("a stream from the client", async () => {
    const total = await new Promise<string>((resolve, reject) => {
      const call = client.makeClientStreamRequest(service.up.path, pass, pass, (error, answer) =>
        error ? reject(error) : resolve(String(answer)),
      );
      for (let i = 0; i < 200; i++) call.write(Buffer.alloc(20_000));
      call.end();
    });
    expect(total).toBe("4000000");
  });

  test("a stream from the server, to a client that reads slowly", async () => {
    const call = client.makeServerStreamRequest(service.down.path, pass, pass, Buffer.from("300"));
    const firsts: number[] = [];
    for await (const message of call) {
      firsts.push((message as Buffer)[0] as number);
      if (firsts.length % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(firsts).toEqual(Array.from({ length: 300 }, (_, index) => index & 255));
  });

  test("both ways at once", async () => {
    const call = client.makeBidiStreamRequest(service.both.path, pass, pass);
    const answers: string[] = [];
    call.on("data", (message: Buffer) => {
      answers.push(message.toString());
      if (answers.length < 20) call.write(Buffer.from(`message ${answers.length}`));
      else call.end();
    });
    call.write(Buffer.from("message 0"));
    await new Promise((resolve) => call.on("end", resolve));
    expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => `message ${index}`));
  });

  test("a call that the client cancels, and one that runs out of time", async () => {
    const cancelled = client.makeBidiStreamRequest(service.both.path, pass, pass);
    const code = new Promise((resolve) => cancelled.on("error", (error: { code?: number }) => resolve(error.code)));
    cancelled.write(Buffer.from("x"));
    cancelled.on("data", () => cancelled.cancel());
    expect(await code).toBe(status.CANCELLED);
    const late = client.makeBidiStreamRequest(service.both.path, pass, pass, { deadline: Date.now() + 50 });
    late.on("data", () => {});
    expect(await new Promise((resolve) => late.on("error", (error: { code?: number }) => resolve(error.code)))).toBe(
      status.DEADLINE_EXCEEDED,
    );
  });
});
