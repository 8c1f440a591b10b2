#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence and not a syntax error.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const bundle = join(root, "dist/server/limpid.js");
const pinned = join(root, "node_modules/node/bin/node");

if (Number(process.versions.node.split(".")[0]) < 24) {
  if (process.env.LIMPID_PINNED_NODE || !existsSync(pinned)) {
    console.error(
      `limpid: needs Node.js 24 or newer and this is ${process.versions.node}; run "npm ci", which brings one along.`,
    );
    process.exit(1);
  }
  const run = spawn(pinned, process.argv.slice(1), {
    stdio: "inherit",
    env: { ...process.env, LIMPID_PINNED_NODE: "1" },
  });
  // Whoever ends this process means the one that does the work. A terminal sends SIGINT to both.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => run.kill(signal));
  const code = await new Promise((done) => {
    run.once("error", () => done(1));
    run.once("exit", (status) => done(status ?? 1));
  });
  process.exit(code);
}

// In a checkout, `up` builds whatever changed, the dashboard where there is to be one; every other command, and a look at the help, takes the build that is there. Before the first
// build there is none, and one may be under way: help comes from the sources then, and other commands say what is missing.
const build = join(root, "scripts/build.ts");
const asks = (...names) => process.argv.slice(2).some((argument) => names.includes(argument));
const helps = process.argv.length === 2 || process.argv[2] === "help" || asks("--help", "-h", "--version", "-V");
const starts = process.argv[2] === "up" && !helps;
if (existsSync(build) && !starts && !existsSync(bundle)) {
  if (!helps) {
    console.error(
      'limpid: not built yet. "npm run build" builds it, and "npm start" (or "limpid up") builds and starts it.',
    );
    process.exit(1);
  }
  await import(join(root, "server/cli/main.ts"));
} else {
  if (existsSync(build) && starts) await buildWhatChanged();
  process.argv[1] = bundle;
  await import(bundle);
}

async function buildWhatChanged() {
  // A group of its own: whoever ends this process ends the compilers, too, and not only what started them.
  const parts = asks("--no-dashboard") ? ["--server-only"] : [];
  const building = spawn(process.execPath, [build, ...parts], { stdio: ["ignore", 2, 2], detached: true });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const end = (signal) => {
    process.kill(-building.pid, signal);
    console.error("limpid: the build was stopped.");
    process.exit(1);
  };
  for (const signal of signals) process.on(signal, end);
  const status = await new Promise((done) => {
    building.once("error", () => done(1));
    building.once("exit", (code) => done(code ?? 1));
  });
  for (const signal of signals) process.off(signal, end);
  if (status !== 0) {
    console.error("limpid: the build failed; what it said stands above.");
    process.exit(status);
  }
}
