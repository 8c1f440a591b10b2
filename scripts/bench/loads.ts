import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Asks a port for some seconds. Not a synchronous call: the bench's process may be the collector that takes access logs meanwhile. */
export type Load = (port: number, seconds: number) => Promise<{ requests: number; errors: number }>;

/** HTTP/1.1 over kept connections, as fast as answers come. */
export const wrk =
  (connections: number): Load =>
  async (port, seconds) => {
    const args = ["-c", "0", "wrk", "-t1", `-c${connections}`, `-d${seconds}s`, `http://127.0.0.1:${port}/`];
    const { stdout } = await run("taskset", args);
    const found = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
    const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout);
    const cut = (socketErrors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0);
    return { requests: found(/(\d+) requests in/), errors: found(/Non-2xx or 3xx responses: (\d+)/) + cut };
  };

export interface H2Load {
  connections: number;
  /** At once on each connection. */
  streams?: number;
  http1?: boolean;
  /** Requests per second, all connections together. Undefined: as fast as answers come. */
  rate?: number;
  /** More of its flags. */
  flags?: readonly string[];
}

export const h2load =
  ({ connections, streams = 1, http1 = false, rate, flags = [] }: H2Load): Load =>
  async (port, seconds) => {
    const options = ["-c", String(connections), "-m", String(streams), "-D", String(seconds), ...flags];
    if (http1) options.push("--h1");
    if (rate !== undefined) options.push(`--rps=${rate / connections}`);
    const { stdout } = await run("taskset", ["-c", "0", "h2load", ...options, `http://127.0.0.1:${port}/`]);
    const [, done = 0, failed = 0] = (/(\d+) succeeded, (\d+) failed/.exec(stdout) ?? []).map(Number);
    const [, ok = 0] = (/status codes: (\d+) 2xx/.exec(stdout) ?? []).map(Number);
    // The last requests of a timed run are cut off by its end.
    const cut = Math.min(failed, connections * streams);
    return { requests: done, errors: failed - cut + Math.max(0, done - ok) };
  };

/** A unary call whose message has so many bytes. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function grpcFlags(folder: string, messageBytes: number): string[] {
  const file = join(folder, "message.grpc");
  writeFileSync(file, grpcMessage(messageBytes));
  return ["-d", file, "-H", "content-type: application/grpc", "-H", "te: trailers"];
}

/** Not compressed, with its five bytes of length before it. */
export function grpcMessage(bytes: number): Buffer {
  const message = Buffer.alloc(5 + bytes, "x");
  message.writeUInt8(0, 0);
  message.writeUInt32BE(bytes, 1);
  return message;
}
