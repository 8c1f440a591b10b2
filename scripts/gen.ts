// Generates server/gen when its inputs changed: Envoy's protos and the two Prisma clients.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules/.bin", name);

step(
  "protocol buffers",
  "proto",
  ["proto", "scripts/gen-proto.ts"],
  ["@bufbuild/protoc-gen-es", "@grpc/grpc-js-xds"],
  () => execFileSync(process.execPath, [join(root, "scripts/gen-proto.ts")], { stdio: "inherit" }),
);
for (const database of ["config", "telemetry"]) {
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
  const stamp = join(root, ".build/gen", output);
  const hash = createHash("sha256");
  for (const input of inputs) hashPath(hash, join(root, input));
  for (const name of packages) hash.update(readFileSync(join(root, "node_modules", name, "package.json")));
  const digest = hash.digest("hex");
  const target = join(root, "server/gen", output);
  if (existsSync(target) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  const started = performance.now();
  process.stderr.write(`generating ${title} … `);
  run();
  mkdirSync(join(root, ".build/gen"), { recursive: true });
  writeFileSync(stamp, digest);
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

function hashPath(hash: ReturnType<typeof createHash>, path: string): void {
  const entries = readdirOrUndefined(path);
  if (entries === undefined) {
    hash.update(path.slice(root.length)).update(readFileSync(path));
    return;
  }
  for (const entry of entries.sort()) hashPath(hash, join(path, entry));
}

function readdirOrUndefined(path: string): string[] | undefined {
  try {
    return readdirSync(path);
  } catch {
    return undefined;
  }
}
