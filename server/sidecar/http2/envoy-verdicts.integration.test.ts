import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Flag, FrameType } from "../../http2/frames.ts";
import { malformedTrailers, wrongLengths } from "../../http2/testing/bodies.ts";
import { eventually } from "../../http2/testing/eventually.ts";
import { frame, uint32 } from "../../http2/testing/frame.ts";
import { fine, malformed, replacing, start } from "../../http2/testing/heads.ts";
import { type RawPeer, rawClient } from "../../http2/testing/raw-peer.ts";
import { answering, startServer, type TestServer } from "../../http2/testing/server.ts";

// The same bytes to real Envoy and to the codec: whether a request is answered, its stream ends or its connection does must agree.

const envoy = process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../../.build/envoy/envoy/_bin/envoy");
const missing = !existsSync(envoy);
if (missing && process.env.CI) throw new Error(`no Envoy at ${envoy}`);

const folder = mkdtempSync(join(tmpdir(), "http2-verdicts-"));
let child: ChildProcess | undefined;
/** By whether malformed messages end their stream only. */
const ports = { strict: 0, lenient: 0 };
let strict: TestServer;
let lenient: TestServer;

const freePort = (): Promise<number> =>
  new Promise((settle) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => settle(port));
    });
  });

const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
const type = (name: string) => ({ "@type": `type.googleapis.com/envoy.extensions.filters.${name}` });
const filter = (name: string, typed_config: object) => ({ name, typed_config });

const listener = (port: number, streamErrors: boolean) => ({
  name: `listener-${port}`,
  address: address(port),
  filter_chains: [
    {
      filters: [
        filter("envoy.filters.network.http_connection_manager", {
          ...type("network.http_connection_manager.v3.HttpConnectionManager"),
          stat_prefix: "verdicts",
          codec_type: "HTTP2",
          delayed_close_timeout: "0.02s",
          http2_protocol_options: { override_stream_error_on_invalid_http_message: streamErrors },
          route_config: {
            name: "all",
            virtual_hosts: [
              { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }] },
            ],
          },
          // Answers once the request is whole, as the codec's server here does.
          http_filters: [
            filter("buffer", { ...type("http.buffer.v3.Buffer"), max_request_bytes: 100_000 }),
            filter("router", type("http.router.v3.Router")),
          ],
        }),
      ],
    },
  ],
});

beforeAll(async () => {
  if (missing) return;
  ports.strict = await freePort();
  ports.lenient = await freePort();
  const admin = await freePort();
  const file = join(folder, "envoy.json");
  const listeners = [listener(ports.strict, false), listener(ports.lenient, true)];
  writeFileSync(file, JSON.stringify({ admin: { address: address(admin) }, static_resources: { listeners } }));
  child = spawn(envoy, ["-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "off"]);
  await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${admin}/ready`)).ok).toBe(true), 30_000);
  strict = await startServer(answering([], Buffer.alloc(0)));
  lenient = await startServer(answering([], Buffer.alloc(0)), { streamErrorOnInvalidMessaging: true });
});

afterAll(async () => {
  child?.kill();
  await strict?.stop();
  await lenient?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What becomes of stream 1, and of the connection. */
async function verdict(port: number, frames: (peer: RawPeer) => Buffer[]): Promise<string> {
  const peer = await rawClient(port);
  peer.send(...frames(peer), frame(FrameType.ping, 0, 0, "aa".repeat(8)));
  const pinged = () => peer.of(FrameType.ping).length > 0;
  const told = () => peer.statusOf(1) !== undefined || peer.resetOf(1) !== undefined;
  await eventually(() => peer.closed || (pinged() && told())).toBe(true);
  const reset = peer.resetOf(1);
  // How it is closed is not compared: Envoy often says nothing where the RFC asks for a GOAWAY.
  const end = peer.closed ? "connection closed" : reset === undefined ? `status ${peer.statusOf(1)}` : `reset ${reset}`;
  peer.socket.destroy();
  return end;
}

describe.skipIf(missing)("as real Envoy (skipped without LIMPID_ENVOY)", () => {
  // Envoy has routes and upgrades to look at, and the codec has neither.
  const routed = new Set(["OPTIONS *", "CONNECT"]);
  test.each([...malformed, ...fine.filter(([name]) => !routed.has(name))])("%s", async (_name, fields) => {
    const frames = (peer: RawPeer) => [peer.headers(1, fields)];
    expect(await verdict(strict.port, frames)).toBe(await verdict(ports.strict, frames));
    expect(await verdict(lenient.port, frames)).toBe(await verdict(ports.lenient, frames));
  });

  test.each([
    ...wrongLengths,
    ...malformedTrailers,
    ["a path with a fragment", (peer: RawPeer) => [peer.headers(1, replacing(":path", "/a#b"))]] as const,
  ])("%s", async (_name, frames) => {
    expect(await verdict(strict.port, frames)).toBe(await verdict(ports.strict, frames));
    expect(await verdict(lenient.port, frames)).toBe(await verdict(ports.lenient, frames));
  });

  const many = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes));
  const update = frame(FrameType.windowUpdate, 0, 0, uint32(1));
  const depend = frame(FrameType.priority, 0, 3, "0000000100");
  test.each<[string, (peer: RawPeer) => Buffer[]]>([
    ["5 WINDOW_UPDATE frames and then a request", (peer) => [many(5, update), peer.headers(1, start)]],
    ["6 WINDOW_UPDATE frames", () => [many(6, update)]],
    ["7 WINDOW_UPDATE frames after a request", (peer) => [peer.headers(1, start), many(7, update)]],
    ["100 PRIORITY frames and then a request", (peer) => [many(100, depend), peer.headers(1, start)]],
    ["101 PRIORITY frames", () => [many(101, depend)]],
    [
      "an empty DATA frame",
      (peer) => [peer.headers(1, start, false), frame(FrameType.data, 0, 1), frame(FrameType.data, Flag.endStream, 1)],
    ],
    ["two empty DATA frames", (peer) => [peer.headers(1, start, false), many(2, frame(FrameType.data, 0, 1))]],
    ["an even stream", (peer) => [peer.headers(2, start)]],
    ["DATA for a stream that was never begun", () => [frame(FrameType.data, 0, 1, "00")]],
    ["a broken field block", () => [frame(FrameType.headers, 5, 1, "80")]],
    ["a window of 2^31", () => [frame(FrameType.settings, 0, 0, "000480000000")]],
    ["PUSH_PROMISE", () => [frame(FrameType.pushPromise, Flag.endHeaders, 1, "00000002")]],
  ])("%s", async (_name, frames) => {
    expect(await verdict(strict.port, frames)).toBe(await verdict(ports.strict, frames));
  });
});
