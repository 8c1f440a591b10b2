import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findEnvoy } from "../../server/fleet/envoy.ts";
import type { Bars } from "./bars.ts";
import { proxyContender, proxyPrograms } from "./envoy-bootstrap.ts";
import { freePort } from "./ground.ts";
import { certify, http1Upstream } from "./http1-upstream.ts";
import { wrk } from "./loads.ts";
import { Ground, median, type Running, takeTurns, turnsTable } from "./turns.ts";

const root = resolve(import.meta.dirname, "../..");
const rounds = 5;
const seconds = 4;
const withFilter = ", filter";

/**
 * What one HTTP filter adds to a request on real sockets, in processor time: each proxy with it and without, in turns.
 * @param filter in Envoy's JSON; it must let the requests pass.
 */
export async function benchFilterOnSockets(what: string, filter: object, bars: Bars): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  const ground = new Ground();
  try {
    const upstream = await freePort();
    const mutualTls = { port: await freePort(), certificate: await certify(folder) };
    await ground.start(http1Upstream(folder, upstream, mutualTls), 0);
    const programs = proxyPrograms(root, findEnvoy(join(root, ".build")));
    const contenders = programs.flatMap((program) =>
      ["", withFilter].map(async (suffix) => {
        const ports = { port: await freePort(), admin: await freePort() };
        const httpFilters = suffix === withFilter ? [filter] : [];
        return proxyContender(folder, program, suffix, { ...ports, upstream, httpFilters });
      }),
    );
    const running = await ground.startAll(await Promise.all(contenders));
    await takeTurns(running, wrk(32), rounds, seconds);
    turnsTable(what, running, (name) => name.replace("Limpid sidecar", "Envoy"));
    for (const { name } of programs) {
      const value = addedTo(running, name);
      const most = name === "Envoy" ? {} : { most: 5 };
      if (value !== undefined) bars.add({ what: `${what}: ${name}`, value, unit: "µs a request", ...most });
    }
  } finally {
    await ground.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The middle of the rounds' differences, since both stood in each round. */
function addedTo(running: readonly Running[], name: string): number | undefined {
  const plain = running.find((each) => each.name === name)?.micros;
  const filtered = running.find((each) => each.name === `${name}${withFilter}`)?.micros;
  return plain && filtered && median(filtered.map((micros, round) => micros - (plain[round] ?? Number.NaN)));
}
