// Builds what is missing or changed: generated code, the server bundle, the dashboard. Says what it does and how long it took.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { tryLockFile } from "../server/lib/file-lock.ts";
import { bundleServer } from "./bundle.ts";
import { freshnessOf } from "./freshness.ts";

const root = resolve(import.meta.dirname, "..");
process.chdir(root);
const release = await takeTurn();

await run("generate", [process.execPath, "scripts/gen.ts"]);
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
  await timed("building the dashboard", () =>
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

/** Whoever stops the build stops what it started as well: a `next build` on its own would hold its folder for a minute more. */
async function run(name: string, [command = "", ...args]: string[], env: Record<string, string> = {}): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  const stop = (signal: NodeJS.Signals) => {
    child.kill(signal);
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    const [code, signal] = await once(child, "exit");
    if (code === 0) return;
    process.stderr.write(`${name} failed (${signal ?? `exit code ${code}`})\n`);
  } catch (error) {
    process.stderr.write(`${name} failed (${error instanceof Error ? error.message : error})\n`);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
  process.exit(1);
}
