// Generates server/gen when its inputs changed: Envoy's protos and the Prisma client.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { freshnessOf } from "./freshness.ts";

const root = resolve(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules/.bin", name);

step(
  "protocol buffers",
  "proto",
  ["proto", "scripts/gen-proto.ts"],
  ["@bufbuild/protoc-gen-es", "@grpc/grpc-js-xds"],
  () => execFileSync(process.execPath, [join(root, "scripts/gen-proto.ts")], { stdio: "inherit" }),
);
for (const database of ["config"]) {
  const schema = join(root, `prisma/${database}/schema.prisma`);
  if (!existsSync(schema)) continue;
  step(`Prisma client for ${database}`, `prisma-${database}`, [`prisma/${database}/schema.prisma`], ["prisma"], () =>
    execFileSync(bin("prisma"), ["generate", "--schema", schema], {
      stdio: ["ignore", "ignore", "inherit"],
      cwd: root,
      // Prisma's schema engine is a download of its own and not needed to generate a client.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true", PRISMA_HIDE_UPDATE_MESSAGE: "1" },
    }),
  );
}

function step(title: string, output: string, inputs: string[], packages: string[], run: () => void): void {
  const all = [...inputs, ...packages.map((name) => `node_modules/${name}/package.json`)];
  const freshness = freshnessOf(root, `gen-${output}`, all);
  if (existsSync(join(root, "server/gen", output)) && freshness.isFresh) return;
  const started = performance.now();
  process.stderr.write(`generating ${title} … `);
  run();
  freshness.keep();
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
