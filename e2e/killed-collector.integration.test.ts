import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { afterEach, expect, it, vi } from "vitest";
import { meshPorts } from "../server/fleet/ports.ts";
import { AccessLogSchema } from "../server/gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { NodeSchema } from "../server/gen/proto/envoy/config/core/v3/base_pb.js";
import { HttpGrpcAccessLogConfigSchema } from "../server/gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import { systemClock } from "../server/lib/clock.ts";
import { AccessLoggers } from "../server/sidecar/access-log/access-loggers.ts";
import { sampleRecord } from "../server/sidecar/access-log/testing/sample-record.ts";
import { GrpcChannels } from "../server/sidecar/grpc/grpc-channels.ts";
import { Runtime } from "../server/sidecar/runtime.ts";
import { Stats } from "../server/sidecar/stats.ts";
import { staticCluster } from "../server/sidecar/xds/testing/static-cluster.ts";
import { openTelemetryReader } from "../server/store/open-telemetry.ts";
import { findPostgres, startPostgres } from "../server/store/postgres/testing/postgres-server.ts";
import { randomOffset, root } from "./mesh.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const log = create(AccessLogSchema, {
  name: "envoy.access_loggers.http_grpc",
  configType: {
    case: "typedConfig",
    value: anyPack(
      HttpGrpcAccessLogConfigSchema,
      create(HttpGrpcAccessLogConfigSchema, {
        commonConfig: {
          logName: "limpid.outbound",
          bufferFlushInterval: { seconds: 0n, nanos: 100_000_000 },
          grpcService: { targetSpecifier: { case: "envoyGrpc", value: { clusterName: "limpid-collector" } } },
        },
      }),
    ),
  },
});

const binaries = findPostgres();
if (binaries === undefined && process.env.CI) throw new Error("PostgreSQL is not installed, and CI is set");

/** Undefined: in the data folder. */
async function databaseOn(store: string): Promise<string | undefined> {
  if (store === "SQLite" || binaries === undefined) return undefined;
  const server = await startPostgres(binaries);
  cleanUps.push(() => server.stop());
  return server.database("killed");
}

const stores = ["SQLite", ...(binaries === undefined ? [] : ["PostgreSQL"])];
it.each(stores)(
  "no request is lost, nor counted twice, while the collector is killed again and again (%s)",
  async (on) => {
    const database = await databaseOn(on);
    const data = mkdtempSync(join(tmpdir(), "limpid-killed-"));
    cleanUps.push(() => rmSync(data, { recursive: true, force: true }));
    const portOffset = randomOffset();
    const port = meshPorts(portOffset).collectorGrpc;
    let collector: ChildProcess | undefined;
    cleanUps.push(() => collector?.kill("SIGKILL"));
    const start = async () => {
      const main = join(root, "server/cli/main.ts");
      const args = [main, "collector", "--port-offset", String(portOffset), "--data", data];
      const env = { ...process.env, LIMPID_TELEMETRY_DATABASE: database ?? "" };
      collector = spawn(process.execPath, args, { cwd: root, stdio: "ignore", env });
      await vi.waitFor(() => listens(port), { timeout: 60_000, interval: 50 });
    };
    const kill = async () => {
      collector?.kill("SIGKILL");
      if (collector) await once(collector, "exit");
    };
    await start();

    const channels = new GrpcChannels();
    channels.add(staticCluster("limpid-collector", port));
    const stats = new Stats();
    const node = create(NodeSchema, { id: "sidecar~127.0.1.2~a.default~default.svc.cluster.local" });
    const loggers = new AccessLoggers({ node, channels, stats, clock: systemClock, runtime: new Runtime() });
    cleanUps.push(() => channels.close());
    cleanUps.push(() => loggers.close());
    const logger = loggers.loggerFor([log]);
    if (!logger.ok || logger.value === undefined) throw new Error(JSON.stringify(logger));

    const begunMs = Math.floor(Date.now() / 1000 - 60) * 1000;
    let sent = 0;
    let running = true;
    const traffic = (async () => {
      while (running) {
        logger.value?.log(sampleRecord({ startMs: Date.now() }));
        sent++;
        await pause(2);
      }
    })();
    const value = (name: string) => stats.counter(`access_logs.grpc_access_log.${name}`).value;
    for (let i = 0; i < 4; i++) {
      const before = value("logs_written");
      await vi.waitFor(() => expect(value("logs_written")).toBeGreaterThan(before + 50), { timeout: 30_000 });
      await kill();
      await start();
    }
    running = false;
    await traffic;
    await vi.waitFor(() => expect(value("logs_written")).toBe(sent), { timeout: 30_000 });
    // A collector that is long in coming back costs details, and no count.
    expect(value("logs_dropped")).toBe(value("logs_folded"));

    const reader = await openTelemetryReader({ data, root, database });
    cleanUps.push(() => reader.close());
    const rows = await reader.rollups({ fromMs: begunMs, toMs: begunMs + 600_000, stepSec: 1 });
    expect(rows.reduce((sum, row) => sum + row.count, 0)).toBe(sent);
    await kill();
  },
);

async function listens(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect").finally(() => socket.destroy());
}
