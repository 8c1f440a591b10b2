import { certifyProxies } from "./certificates.ts";
import { type Child, startChild } from "./child.ts";
import { demoConfig } from "./demo/config.ts";
import { gatewayCertificate, renewGatewayCertificate } from "./demo/gateway-certificate.ts";
import { type FleetStatus, serveFleetApi } from "./fleet-api.ts";
import { sendPartMetrics } from "./part-metrics.ts";
import { demoProxies, type MeshOptions, type Part, planesOf, workloadsOf } from "./parts.ts";
import { meshPorts } from "./ports.ts";
import { checkPorts, isPartOf, lockDataFolder } from "./preflight.ts";
import { processUsage } from "./process-usage.ts";
import { seedConfig } from "./seed-config.ts";
import { startTraffic, type TrafficGenerator } from "./traffic.ts";
import { startUndertaker, type Undertaker } from "./undertaker.ts";

export interface UpOptions extends MeshOptions {
  version: string;
  demo: boolean;
  trafficRate: number;
  print(line: string): void;
  /** Gives up starting: what runs already is stopped, and `up` rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface RunningMesh {
  status(): FleetStatus;
  /** Stops every process and releases ports and lock; safe to call twice. */
  stop(): Promise<void>;
  /** Resolves when it was stopped, from here or through the fleet API. */
  stopped: Promise<void>;
}

const readyTimeoutMs = 30_000;
/** What parts get to leave when their supervisor is gone: more than a proxy's drain and the grace after it. */
const orphanGraceSec = 10;
/** A start after a kill waits for what the killed one left behind, until the undertaker is through. */
const orphanPatienceMs = (orphanGraceSec + 5) * 1000;

/** Starts a whole mesh: planes, then the demo's workloads with their proxies, then traffic. Throws PreflightError before starting anything. */
export async function up(options: UpOptions): Promise<RunningMesh> {
  const release = lockDataFolder(options.data);
  const ports = meshPorts(options.portOffset);
  const running: { part: Part; child: Child }[] = [];
  let traffic: TrafficGenerator | undefined;
  let api: { close(): void } | undefined;
  let stopTelling: () => void = () => {};
  let undertaker: Undertaker | undefined;
  let stopping: Promise<void> | undefined;
  let signalStopped: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    signalStopped = resolve;
  });
  const startedAt = Date.now();
  let started = false;
  const given = givenUp(options.signal);

  const status = (): FleetStatus => ({
    pid: process.pid,
    version: options.version,
    startedAt,
    started,
    data: options.data,
    portOffset: options.portOffset,
    proxy: options.proxy.kind,
    dashboard: options.dashboard ? `http://127.0.0.1:${ports.dashboard}` : null,
    gateway: `http://127.0.0.1:${ports.gateway}`,
    parts: running.map(({ part, child }) => partStatus(part, child)),
    traffic: traffic?.stats() ?? { rate: 0, sent: 0, ok: 0, serverErrors: 0, failed: 0, dropped: 0, inFlight: 0 },
  });

  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      api?.close();
      stopTelling();
      await traffic?.stop();
      // Data plane first, so that proxies can hand in their last records; the planes follow.
      const isPlane = (part: Part) => ["control-plane", "collector", "dashboard"].includes(part.kind);
      await Promise.all(running.filter(({ part }) => !isPlane(part)).map(({ child }) => child.stop()));
      await Promise.all(running.filter(({ part }) => isPlane(part)).map(({ child }) => child.stop()));
      undertaker?.dismiss();
      release();
      signalStopped();
    })();
    return stopping;
  };

  const launch = async (parts: readonly Part[]): Promise<void> => {
    const children = parts.map((part) => {
      const child = startChild(part, (message) => options.print(`! ${message}`), undertaker);
      running.push({ part, child });
      return { part, child };
    });
    await Promise.race([given, Promise.all(children.map(({ child }) => child.whenReady(readyTimeoutMs)))]);
    for (const { part, child } of children) options.print(describe(part, child));
  };

  try {
    if (options.demo) {
      await certifyProxies(
        options.data,
        demoProxies(options.portOffset, options.demoGrpc).map(({ identity }) => identity),
      );
    }
    const planes = planesOf(options);
    const workloads = options.demo ? workloadsOf(options) : [];
    await checkPorts(
      [
        { part: "supervisor", host: "127.0.0.1", port: ports.fleet },
        ...[...planes, ...workloads].flatMap((part) => part.ports),
      ],
      { isLeaving: (pid) => isPartOf(pid, options.data), timeoutMs: orphanPatienceMs },
    );
    undertaker = startUndertaker(orphanGraceSec);
    api = await serveFleetApi(
      {
        status,
        setTrafficRate: (rate) => traffic?.setRate(rate),
        restart: (name) => {
          const found = running.find(({ part }) => part.name === name);
          found?.child.restart().catch((error: unknown) => options.print(`! ${name}: ${String(error)}`));
          return found !== undefined;
        },
        shutdown: () => void stop(),
      },
      "127.0.0.1",
      ports.fleet,
    );
    // Nothing waits for the dashboard, so its start runs beside the others'.
    const isDashboard = (part: Part) => part.kind === "dashboard";
    const others = launch(planes.filter((part) => !isDashboard(part)));
    const dashboard = launch(planes.filter(isDashboard));
    dashboard.catch(() => {}); // awaited below
    await others;
    stopTelling = sendPartMetrics({ port: ports.collectorHttp, parts: () => status().parts });
    if (options.demo) {
      const configApi = `http://127.0.0.1:${ports.configApi}`;
      const isNew = await seedConfig(configApi, async () => [
        ...demoConfig(options.portOffset, options.demoGrpc),
        await gatewayCertificate(options.data),
      ]);
      if (!isNew) await renewGatewayCertificate(configApi, options.data);
      await launch(workloads);
      traffic = startTraffic({ host: "127.0.0.1", port: ports.gateway }, options.trafficRate);
    }
    await dashboard;
    started = true;
  } catch (error) {
    await stop();
    throw error;
  }
  return { status, stop, stopped };
}

/** Rejects when the signal fires; never resolves. */
function givenUp(signal: AbortSignal | undefined): Promise<never> {
  const never = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  never.catch(() => {}); // between two waits nobody listens
  return never;
}

const partStatus = (part: Part, child: Child) => ({
  name: part.name,
  kind: part.kind,
  pid: child.pid ?? null,
  address: part.address,
  state: child.state,
  restarts: child.restarts,
  startedAt: child.startedAt,
  lastExit: child.lastExit ?? null,
  ends: child.ends,
  node: part.node ?? null,
  metrics: part.metrics ?? null,
  admin: part.admin ?? null,
  usage: child.pid === undefined ? null : processUsage(child.pid),
});

const describe = (part: Part, child: Child): string =>
  `  ${part.name.padEnd(22)} ${part.address.padEnd(26)} pid ${child.pid ?? "-"}`;
