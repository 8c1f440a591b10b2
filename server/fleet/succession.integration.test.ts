import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { freePort } from "../xds/testing/envoy.ts";
import { type Child, type ChildSpec, startChild } from "./child.ts";
import { probeHttp } from "./probe.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const type = (name: string, fields: object) => ({
  "@type": `type.googleapis.com/envoy.extensions.filters.${name}`,
  ...fields,
});
const socketAddress = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

/** One listener that goes to one port, and an admin. */
function bootstrapOf(port: number, admin: number, upstream: number) {
  const manager = {
    stat_prefix: "in",
    route_config: {
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "up" } }] }],
    },
    http_filters: [{ name: "router", typed_config: type("http.router.v3.Router", {}) }],
  };
  const filter = {
    name: "http",
    typed_config: type("network.http_connection_manager.v3.HttpConnectionManager", manager),
  };
  const endpoint = { endpoint: { address: socketAddress(upstream) } };
  const assignment = { cluster_name: "up", endpoints: [{ lb_endpoints: [endpoint] }] };
  return {
    node: { id: "a", cluster: "a" },
    admin: { address: socketAddress(admin) },
    static_resources: {
      listeners: [{ name: "in", address: socketAddress(port), filter_chains: [{ filters: [filter] }] }],
      clusters: [{ name: "up", type: "STATIC", load_assignment: assignment }],
    },
  };
}

async function sidecar(
  events: string[],
  ...more: string[]
): Promise<{ child: Child; port: number; admin: number; log(): string }> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-succession-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = createServer((_, response) => void response.end("ok")).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  cleanups.push(() => upstream.close());
  const [port, admin] = [await freePort(), await freePort()];
  const config = join(folder, "bootstrap.json");
  writeFileSync(config, JSON.stringify(bootstrapOf(port, admin, (upstream.address() as AddressInfo).port)));
  const logFile = join(folder, "sidecar.log");
  const spec: ChildSpec = {
    name: "proxy",
    command: process.execPath,
    args: [join(import.meta.dirname, "../cli/main.ts"), "sidecar", "-c", config, "--drain-time-s", "20", ...more],
    env: { ...process.env, LIMPID_LEASH: "1" },
    logFile,
    succeeds: true,
    graceMs: 60_000,
    probe: (signal) => probeHttp("127.0.0.1", admin, "/ready", signal),
  };
  const child = startChild(spec, (message) => events.push(message));
  cleanups.push(() => child.stop());
  await child.whenReady(120_000);
  return { child, port, admin, log: () => readFileSync(logFile, "utf8") };
}

/** A connection for each request, without pause. */
function load(port: number) {
  const counts = { answered: 0, failed: [] as string[] };
  let running = true;
  const one = async () => {
    while (running) {
      try {
        const [response] = await once(get({ port, host: "127.0.0.1", agent: false }), "response");
        response.resume();
        await once(response, "end");
        if (response.statusCode === 200) counts.answered++;
        else counts.failed.push(String(response.statusCode));
      } catch (error) {
        counts.failed.push((error as Error).message);
      }
    }
  };
  const clients = Promise.all(Array.from({ length: 4 }, one));
  cleanups.push(() => {
    running = false;
  });
  const stop = () => {
    running = false;
    return clients;
  };
  return { counts, stop };
}

const counted = async (admin: number, name: string): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${admin}/stats?filter=${name}$`)).text();
  return Number(text.split(": ")[1]);
};

test.skipIf(process.platform === "win32").each([
  ["a proxy's successor takes its sockets over, and who connects notices nothing", 4, []],
  ["the same of a proxy with workers", 2, ["--concurrency", "2"]],
] as [string, number, string[]][])(
  "%s; its counters go on",
  async (_, restarts, flags) => {
    const events: string[] = [];
    const { child, port, admin, log } = await sidecar(events, ...flags);
    const { counts, stop } = load(port);
    const pids = [child.pid];
    for (let i = 0; i < restarts; i++) {
      const before = counts.answered;
      await vi.waitFor(() => expect(counts.answered).toBeGreaterThan(before + 20), { timeout: 60_000 });
      await child.restart();
      pids.push(child.pid);
      // Not from nought again: what the old one had counted came with the sockets.
      expect(await counted(admin, "http.in.downstream_rq_total")).toBeGreaterThan(before + 20);
    }
    const before = counts.answered;
    await vi.waitFor(() => expect(counts.answered).toBeGreaterThan(before + 20), { timeout: 60_000 });
    await stop();
    // The last requests of every old one are among them, also those that it served after it had given its sockets away.
    await vi.waitFor(async () => expect(await counted(admin, "http.in.downstream_rq_total")).toBe(counts.answered), {
      timeout: 60_000,
    });
    expect(counts.failed).toEqual([]);
    expect(new Set(pids).size).toBe(restarts + 1);
    expect([child.restarts, events]).toEqual([0, []]);
    // The sockets were the same ones: nobody was refused a port, and each old one knew of its successor.
    expect(log()).not.toContain("cannot listen");
    expect(log().match(/"component":"sidecar",.*"handedOver":true/g)?.length).toBe(restarts);
    expect(await probeHttp("127.0.0.1", admin, "/ready", AbortSignal.timeout(10_000))).toBe("ready");
  },
  300_000,
);
