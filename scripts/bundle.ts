import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";

const http = createRequire(import.meta.url)("node:http") as object;

/** All that runs in Node, as a folder of modules that need nothing but native packages: the command, its workers, and the SDK with its types. */
export async function bundleServer(root: string, outdir: string): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: {
      limpid: "server/cli/main.ts",
      sdk: "server/sdk/index.ts",
      "yaml-worker": "server/config/kinds/yaml-worker.ts",
      "load-worker": "server/load/load-worker.ts",
    },
    absWorkingDir: root,
    outdir,
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
  // The file has types alone, and so it is its own declaration.
  const types = readFileSync(join(root, "server/sdk/api.ts"), "utf8");
  writeFileSync(
    join(resolve(root, outdir), "sdk.d.ts"),
    `${types}\nexport declare function join(options: JoinOptions): Promise<Mesh>;\n`,
  );
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
