import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, it } from "vitest";
import { grpcStatusOf } from "../http/grpc.ts";
import { Fixtures, staticCluster, toCluster } from "../test-plane.ts";

// Python's gRPC, which is neither Node's HTTP/2 nor ours, as client and as server of one proxy.

const python = process.env.LIMPID_PYTHON ?? "python3";
const missing = spawnSync(python, ["-c", "import grpc"]).status !== 0;

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

it.skipIf(missing)(
  "grpcio through the proxy, every kind of call (skipped without python3 with grpcio, or LIMPID_PYTHON)",
  async () => {
    const peer = spawn(python, [join(import.meta.dirname, "testing/grpcio-peer.py")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    fixtures.onClose(() => void peer.kill("SIGKILL"));
    const lines = createInterface({ input: peer.stdout });
    const [port] = await once(lines, "line");
    const http2Only = {
      typed_extension_protocol_options: {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
          "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    };
    const plane = await fixtures.plane({
      routes: [toCluster("up")],
      clusters: [staticCluster("up", [Number(port)], http2Only)],
    });
    peer.stdin.write(`${plane.port}\n`);
    const [answers] = await once(lines, "line");
    expect(JSON.parse(answers)).toEqual({
      unary: "hello",
      "initial metadata": "1",
      "trailing metadata": [0, 255, 10],
      failed: ["FAILED_PRECONDITION", "not now: 100 %"],
      late: "DEADLINE_EXCEEDED",
      many: true,
      up: "4000000",
      down: 300,
      both: Array.from({ length: 20 }, (_, index) => String(index)),
      cancelled: "CANCELLED",
    });
    const failed = plane.records.find(
      ({ path, responseHeaders }) => path.endsWith("Unary") && grpcStatusOf(responseHeaders, undefined) === "9",
    );
    expect(failed?.responseCode).toBe(200);
  },
  60_000,
);
