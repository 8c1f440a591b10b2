// Builds what is missing or changed: generated code, the server bundle, the dashboard. Says what it does and how long it took.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { tryLockFile } from "../server/lib/file-lock.ts";
import { freshnessOf } from "./freshness.ts";

const root = resolve(import.meta.dirname, "..");
process.chdir(root);
const release = await takeTurn();
const http = createRequire(import.meta.url)("node:http") as object;

run("generate", [process.execPath, "scripts/gen.ts"]);
const common = ["package-lock.json", "proto", "prisma", "scripts/gen-proto.ts", "tsconfig.json"];

const bundle = freshnessOf(root, "server", [...common, "server", "scripts/build.ts", "package.json"]);
if (!bundle.isFresh || !existsSync("dist/server/limpid.js")) {
  await timed("bundling the server", bundleServer);
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

async function bundleServer(): Promise<void> {
  rmSync("dist/server", { recursive: true, force: true });
  await build({
    entryPoints: {
      limpid: "server/cli/main.ts",
      "yaml-worker": "server/config/kinds/yaml-worker.ts",
      "load-worker": "server/load/load-worker.ts",
    },
    outdir: "dist/server",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    sourcemap: "linked",
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [lazyHttpPlugin()],
    logLevel: "warning",
    // Native, or loaded by name at run time. grpc-js loads proto-loader only for services that nothing here starts.
    external: ["next", "@grpc/proto-loader", "@prisma/client", "@prisma/adapter-libsql", "pg"],
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
}

/**
 * Node's `http` has getters for WebSocket and its kin, and importing it as an ES module calls them all, which loads undici: 13 MB and
 * 0.05 s that each of the demo's processes would pay for nothing. Taken by name from the CommonJS module, they stay asleep.
 */
function lazyHttpPlugin(): Plugin {
  return {
    name: "lazy-http",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:http$/ }, ({ kind, path }) =>
        kind === "require-call" ? undefined : { path, namespace: "lazy-http" },
      );
      onLoad({ filter: /.*/, namespace: "lazy-http" }, () => ({
        contents: Object.entries(Object.getOwnPropertyDescriptors(http))
          .filter(([name, { value }]) => name !== "default" && value !== undefined)
          .map(([name]) => `export const ${name} = /* @__PURE__ */ (() => require("node:http").${name})();`)
          .join("\n"),
        loader: "js",
      }));
    },
  };
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
