// Builds what is missing or changed: generated code, the server bundle, the dashboard. Says what it does and how long it took.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { tryLockFile } from "../server/lib/file-lock.ts";
import { bundleServer } from "./bundle.ts";
import { freshnessOf } from "./freshness.ts";

const root = resolve(import.meta.dirname, "..");
process.chdir(root);
const release = await takeTurn();

run("generate", [process.execPath, "scripts/gen.ts"]);
const common = ["package-lock.json", "proto", "prisma", "scripts/gen-proto.ts", "tsconfig.json"];

const bundle = freshnessOf(root, "server", [
  ...common,
  "server",
  "scripts/build.ts",
  "scripts/bundle.ts",
  "package.json",
]);
if (!bundle.isFresh || !existsSync("dist/server/limpid.js")) {
  await timed("bundling the server", () => bundleServer(root, "dist/server"));
  bundle.keep();
}

/** Of the server, pages bundle only what describes the API: the rest reaches them at run time, by `server/next.ts`. */
const server = ["server/contract", "server/wire", "server/dashboard/shared-dashboard.ts", "server/next.ts"];
const pages = freshnessOf(root, "dashboard", [
  ...common,
  ...["app", "components", "messages", "public", ...server, "next.config.ts"],
]);
if (!process.argv.includes("--server-only") && existsSync("app") && !(pages.isFresh && existsSync(".next/BUILD_ID"))) {
  await timed("building the dashboard", async () =>
    run("next build", [join(root, "node_modules/.bin/next"), "build"], {
      NEXT_TELEMETRY_DISABLED: "1",
      NODE_ENV: "production",
    }),
  );
  pages.keep();
}
release();

/** Two builds of one checkout would write over each other's files, and Next refuses the second: it waits, and finds everything fresh. */
async function takeTurn(): Promise<() => void> {
  mkdirSync(".build", { recursive: true });
  for (let waits = 0; ; waits++) {
    const turn = tryLockFile(".build/build.lock");
    if (turn) return turn;
    if (waits === 0) process.stderr.write("another build of this checkout is under way; waiting for it …\n");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function timed(title: string, work: () => Promise<void> | void): Promise<void> {
  const started = performance.now();
  process.stderr.write(`${title} …\n`);
  await work();
  process.stderr.write(`${title}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

function run(name: string, [command, ...args]: string[], env: Record<string, string> = {}): void {
  const result = spawnSync(command ?? "", args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  if (result.status !== 0) {
    process.stderr.write(`${name} failed (${result.error?.message ?? `exit code ${result.status}`})\n`);
    process.exit(1);
  }
}
