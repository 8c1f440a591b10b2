import { setTimeout as wait } from "node:timers/promises";
import { createCollectorClient } from "../dashboard/collector-client.ts";
import type { FleetStatus } from "../fleet/fleet-api.ts";
import { meshPorts } from "../fleet/ports.ts";
import { parseTrafficRate, type TrafficStats } from "../fleet/traffic.ts";
import { age } from "./age.ts";
import { columns } from "./columns.ts";
import { type CommonOptions, failWith, portOffsetOf } from "./options.ts";
import { describeTelemetry } from "./telemetry-status.ts";

export async function runStatus(options: CommonOptions & { output: string }): Promise<void> {
  try {
    if (!["text", "json"].includes(options.output)) throw new Error(`-o ${options.output}: must be text or json`);
    const [status, telemetry] = await Promise.all([
      ask<FleetStatus>(options, "GET", "/v1/status"),
      createCollectorClient(meshPorts(portOffsetOf(options)).collectorHttp)().catch(() => null),
    ]);
    process.stdout.write(
      options.output === "json"
        ? `${JSON.stringify({ ...status, telemetry }, null, 2)}\n`
        : describe(status) + describeTelemetry(telemetry),
    );
    if (!status.started || status.parts.some((part) => part.state !== "ready")) process.exitCode = 2;
  } catch (error) {
    failWith(error);
  }
}

export async function runTraffic(rate: string | undefined, options: CommonOptions): Promise<void> {
  try {
    const traffic =
      rate === undefined
        ? (await ask<FleetStatus>(options, "GET", "/v1/status")).traffic
        : await ask<TrafficStats>(options, "PUT", `/v1/traffic?rate=${parseTrafficRate(rate)}`);
    process.stdout.write(
      `${traffic.rate} requests/s; sent ${traffic.sent}, 5xx ${traffic.serverErrors}, failed ${traffic.failed}\n`,
    );
  } catch (error) {
    failWith(error);
  }
}

const restartMs = 60_000;

export async function runRestart(name: string, options: CommonOptions): Promise<void> {
  try {
    const partNow = async () =>
      (await ask<FleetStatus>(options, "GET", "/v1/status")).parts.find((part) => part.name === name);
    const before = await partNow();
    if (!before) {
      const { parts } = await ask<FleetStatus>(options, "GET", "/v1/status");
      throw new Error(
        `there is no part ${JSON.stringify(name)}; there are ${parts.map((part) => part.name).join(", ")}`,
      );
    }
    await ask(options, "POST", `/v1/restart?part=${encodeURIComponent(name)}`);
    for (const until = Date.now() + restartMs; Date.now() < until; await wait(100)) {
      const now = await partNow();
      if (now?.state !== "ready" || now.pid === before.pid) continue;
      process.stdout.write(`${name} restarted, pid ${now.pid}\n`);
      return;
    }
    throw new Error(`${name} was not up again within ${restartMs / 1000} s; what limpid up prints and its log say why`);
  } catch (error) {
    failWith(error);
  }
}

const timeoutMs = 5000;

async function ask<T>(options: CommonOptions, method: string, path: string): Promise<T> {
  const base = `http://127.0.0.1:${meshPorts(portOffsetOf(options)).fleet}`;
  let answer: Response;
  try {
    answer = await fetch(base + path, { method, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") {
      throw new Error(
        `the mesh at ${base} gave no answer within ${timeoutMs / 1000} s; it may be overloaded or stopped (Ctrl-Z).`,
      );
    }
    throw new Error(
      `no mesh runs here (asked ${base}). Start one with: limpid up. One with other ports: --port-offset.`,
    );
  }
  const text = await answer.text();
  if (answer.headers.get("content-type") !== "application/json") {
    throw new Error(`${base} is served by something that is no Limpid mesh; --port-offset names another.`);
  }
  if (!answer.ok) throw new Error(`${base} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}

function describe(status: FleetStatus): string {
  const rows = status.parts.map((part) => [
    part.name,
    part.kind,
    part.state + (part.restarts > 0 ? ` (${part.restarts} restarts)` : ""),
    String(part.pid ?? "-"),
    part.address,
    age(Date.now() - part.startedAt),
  ]);
  const table = [["PART", "KIND", "STATE", "PID", "ADDRESS", "UP"], ...rows];
  return `${columns(table)}${status.started ? "" : "still starting\n"}\ndashboard ${status.dashboard ?? "off"} · gateway ${status.gateway} · proxies ${status.proxy} · traffic ${status.traffic.rate} requests/s · data ${status.data}\n`;
}
