import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { createDashboard } from "../server/dashboard/dashboard.ts";
import { meshPorts } from "../server/fleet/ports.ts";
import { findPostgres, type PostgresServer, startPostgres } from "../server/store/postgres/testing/postgres-server.ts";
import { randomOffset, root } from "./mesh.ts";

const binaries = findPostgres();
if (binaries === undefined && process.env.CI) throw new Error("PostgreSQL is not installed, and CI is set");
const secret = "hunter2-of-this-test";
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function folder(): string {
  const data = mkdtempSync(join(tmpdir(), "limpid-telemetry-database-"));
  cleanUps.push(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

/** `limpid collector` with a data folder of its own. */
function startCollector(database: string) {
  const portOffset = randomOffset();
  const args = [join(root, "server/cli/main.ts"), "collector", "--port-offset", String(portOffset), "--data", folder()];
  const env = { ...process.env, LIMPID_TELEMETRY_DATABASE: database };
  const child: ChildProcess = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text: Buffer) => said.push(String(text)));
  const exited = once(child, "exit");
  cleanUps.push(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  const url = `http://127.0.0.1:${meshPorts(portOffset).collectorHttp}`;
  const health = async () => {
    const answer = await fetch(`${url}/healthz`);
    return { status: answer.status, text: await answer.text() };
  };
  return { url, said, health, exited };
}

async function sendSpan(url: string, traceId: string, spanId: string): Promise<void> {
  const nano = `${Date.now()}000000`;
  const span = { traceId, spanId, name: `GET /${spanId}`, kind: 2, startTimeUnixNano: nano, endTimeUnixNano: nano };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
  const answer = await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
  });
  expect(answer.status).toBe(200);
}

it.skipIf(binaries === undefined)(
  "two collectors and two dashboards share one database; what fails is told, and the password is not",
  async () => {
    const server: PostgresServer = await startPostgres(binaries ?? "");
    cleanUps.push(() => server.stop());
    const database = (await server.database("shared")).replace("limpid@", `limpid:${secret}@`);
    const collectors = [startCollector(database), startCollector(database)];
    const dashboards = [0, 1].map(() =>
      createDashboard({
        ...{ portOffset: randomOffset(), data: folder(), root, telemetryDatabase: database },
        onError: () => {},
      }),
    );
    const traceId = "ab".repeat(16);
    for (const [i, { url, health }] of collectors.entries()) {
      await vi.waitFor(async () => expect((await health()).status).toBe(200), { timeout: 60_000, interval: 100 });
      await sendSpan(url, traceId, `${i + 1}`.repeat(16));
    }
    for (const dashboard of dashboards) {
      await vi.waitFor(async () => expect(await dashboard.trace(traceId)).toMatchObject({ spans: 2 }), {
        timeout: 30_000,
      });
    }

    const back = server.restart();
    for (const { health } of collectors) {
      await vi.waitFor(
        async () => {
          const { status, text } = await health();
          // Restarted between two looks, it was not seen to be away.
          if (status === 200) await back;
          else expect(text).toMatch(/the telemetry database postgres:\/\/127\.0\.0\.1:\d+\/shared can't be/);
        },
        { timeout: 30_000, interval: 20 },
      );
    }
    await back;
    for (const [i, { url, health }] of collectors.entries()) {
      await sendSpan(url, traceId, `${i + 3}`.repeat(16));
      await vi.waitFor(async () => expect((await health()).status).toBe(200), { timeout: 30_000, interval: 100 });
    }
    for (const dashboard of dashboards) {
      await vi.waitFor(async () => expect(await dashboard.trace(traceId)).toMatchObject({ spans: 4 }), {
        timeout: 30_000,
      });
    }
    for (const { said, health } of collectors) {
      expect((await health()).text).not.toContain(secret);
      expect(said.join("")).not.toContain(secret);
    }
  },
);

it.each([
  ["mysql://limpid:hunter2-of-this-test@db/limpid", /LIMPID_TELEMETRY_DATABASE must be the address of a PostgreSQL/],
])("%s ends the collector with a sentence", async (database, sentence) => {
  const { said, exited } = startCollector(database);
  expect(await exited).toEqual([78, null]);
  expect(said.join("")).toMatch(sentence);
  expect(said.join("")).not.toContain(secret);
});
