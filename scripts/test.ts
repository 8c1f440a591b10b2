// `npm test`: gets what the tests need, builds, and runs every project. In CI nothing is skipped for want of a tool.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { findPostgres } from "../server/store/postgres/testing/postgres-server.ts";
import {
  findOpenTelemetryPython,
  installOpenTelemetryPython,
} from "../server/telemetry/testing/opentelemetry-python.ts";
import { findBrowser, installBrowser } from "./browser.ts";
import { installPackage } from "./debian.ts";

const root = resolve(import.meta.dirname, "..");
process.chdir(root);
const ci = process.env.CI === "true" || process.env.CI === "1";

const { ensureEnvoy } = await import("../server/fleet/envoy.ts");
const envoy = await ensureEnvoy(join(root, ".build")).catch((error: Error) => note(error.message));
const browser =
  findBrowser() ??
  (await installBrowser()) ??
  note("no Chromium: run `apt-get install chromium`, or set LIMPID_BROWSER");

if (findPostgres() === undefined) installPackage("postgresql");
if (findPostgres() === undefined)
  note("no PostgreSQL: run `apt-get install postgresql`, or put initdb and postgres on the PATH");

// What few machines have: where it can't be had, its tests say so in their names and are skipped.
for (const [command, name] of [
  ["redis-server", "redis-server"],
  ["iptables", "iptables"],
] as const) {
  if (spawnSync(command, ["--version"], { stdio: "ignore" }).error) installPackage(name);
}

// OpenTelemetry's Python SDK sends to the collector in its tests.
if (findOpenTelemetryPython() === undefined && installOpenTelemetryPython() === undefined) {
  installPackage("python3-venv");
  installOpenTelemetryPython("/usr/bin/python3") ??
    note("no OpenTelemetry SDK for Python: python3 with venv and pip is needed");
}

step("build", [process.execPath, "scripts/build.ts"]);
const result = spawnSync(join(root, "node_modules/.bin/vitest"), ["run", ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, ...(envoy && { LIMPID_ENVOY: envoy }), ...(browser && { LIMPID_BROWSER: browser }) },
});
process.exit(result.status ?? 1);

function step(name: string, [command, ...args]: string[]): void {
  const { status } = spawnSync(command ?? "", args, { stdio: "inherit" });
  if (status !== 0) {
    process.stderr.write(`${name} failed\n`);
    process.exit(status ?? 1);
  }
}

/** A missing tool: its tests say so and are skipped on a developer's machine, and fail the run in CI. */
function note(message: string): undefined {
  process.stderr.write(`test: ${message}\n`);
  if (ci) process.exit(1);
}
