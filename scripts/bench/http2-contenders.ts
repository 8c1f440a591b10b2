import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Contender } from "./turns.ts";

const root = resolve(import.meta.dirname, "../..");
const codec = join(root, "server/http2");
export const bodyBytes = 1024;

/** The bundled codec with nothing around it. */
export function limpidServer(folder: string): Contender {
  const script = `import { answering, startServer } from "${codec}/testing/server.ts";
const body = Buffer.alloc(${bodyBytes}, "x");
const headers = ["content-type", "text/plain", "content-length", "${bodyBytes}", "server", "bench"];
console.log((await startServer(answering(headers, body), { maxConcurrentStreams: 100 })).port);`;
  return scripted(folder, "Limpid codec, server", script);
}

/** The same, for unary gRPC calls: a message and a status in the trailers. */
export function grpcServer(folder: string): Contender {
  const script = `import { silent, startServer } from "${codec}/testing/server.ts";
import { grpcMessage } from "${root}/scripts/bench/loads.ts";
const body = grpcMessage(${bodyBytes});
const head = { status: 200, headers: ["content-type", "application/grpc"], contentLength: -1, bytes: 0 };
const answer = (stream) => {
  stream.sendHead(head, false);
  stream.sendData(body, 0, body.length);
  stream.sendEnd(["grpc-status", "0"]);
};
const onStream = (stream, _head, end) => {
  if (end) answer(stream);
  return end ? silent : { ...silent, onEnd: () => answer(stream) };
};
console.log((await startServer({ onStream }, { maxConcurrentStreams: 100 })).port);`;
  return scripted(folder, "Limpid codec, gRPC server", script);
}

export function limpidProxy(folder: string, upstream: number): Contender {
  const script = `import { startServer } from "${codec}/testing/server.ts";
import { forwarding } from "${codec}/testing/proxy.ts";
import { openClient } from "${codec}/testing/client.ts";
const up = await openClient(${upstream});
console.log((await startServer(forwarding(() => up.connection))).port);`;
  return scripted(folder, "Limpid codec, proxy", script);
}

export function nodeServer(folder: string): Contender {
  const script = `import { createServer } from "node:http2";
const body = Buffer.alloc(${bodyBytes}, "x");
const server = createServer();
server.on("stream", (stream) => {
  stream.on("error", () => {});
  stream.respond({ ":status": 200, "content-type": "text/plain", "content-length": ${bodyBytes}, server: "bench" });
  stream.end(body);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;
  return scripted(folder, "node:http2, server", script);
}

export function nodeProxy(folder: string, upstream: number): Contender {
  const script = `import { connect, createServer } from "node:http2";
const up = connect("http://127.0.0.1:${upstream}");
const server = createServer();
server.on("stream", (down, headers, flags) => {
  down.on("error", () => {});
  const stream = up.request(headers, { endStream: (flags & 1) !== 0 });
  stream.on("error", () => down.close(2));
  stream.on("response", (head) => { if (!down.destroyed) { down.respond(head); stream.pipe(down); } });
  if ((flags & 1) === 0) down.pipe(stream);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;
  return scripted(folder, "node:http2, proxy", script);
}

function scripted(folder: string, name: string, script: string): Contender {
  const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.mjs`);
  writeFileSync(file, script);
  return { name, command: [process.execPath, file] };
}
