import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { allowed, findViolations, importsOf, sidecarRooms } from "./boundaries.ts";

const repository = resolve(import.meta.dirname, "..");

test("the repository keeps the dependency rule", () => {
  expect(findViolations(repository)).toEqual([]);
});

test("docs/ARCHITECTURE.md has one row for each folder of the server, with what it may import", () => {
  const rows = [
    ...readFileSync(join(repository, "docs/ARCHITECTURE.md"), "utf8").matchAll(
      /^\| `(server\/[a-z0-9-]+)` *\|.*\| ([^|]+) \|$/gm,
    ),
  ].map(([, folder = "", cell = ""]): [string, string] => [folder, cell.trim()]);
  const folders = readdirSync(join(repository, "server"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(rows.map(([folder]) => folder).toSorted()).toEqual(folders.map(({ name }) => `server/${name}`).toSorted());
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(rows.map(([folder]) => [folder, mayImport(folder)])));
});

/** The rule as the page says it: other folders of the server in alphabetical order; of a folder, some files only. */
function mayImport(folder: string): string {
  if (folder === "server/cli") return "anything in server";
  const others = new Map<string, "whole" | "part">();
  for (const path of allowed[folder] ?? []) {
    const [, name = "", ...inside] = path.split("/");
    if (`server/${name}` === folder) continue;
    if (inside.length === 0) others.set(name, "whole");
    else if (!others.has(name)) others.set(name, "part");
  }
  const names = [...others].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return names.map(([name, extent]) => (extent === "whole" ? name : `${name} (part)`)).join(", ") || "nothing of ours";
}

test("the sidecar's rooms stand on each other, and none in a circle", () => {
  const rooms = Object.keys(sidecarRooms);
  for (const [index, room] of rooms.entries()) {
    const above = sidecarRooms[room]?.filter((other) => rooms.indexOf(other) >= index);
    expect(above, room).toEqual([]);
  }
});

test("an import against the rule is found, static, dynamic or re-exported", () => {
  const root = mkdtempSync(join(tmpdir(), "limpid-boundaries-"));
  try {
    mkdirSync(join(root, "server/model"), { recursive: true });
    writeFileSync(
      join(root, "server/model/bad.ts"),
      [
        'import { x } from "../xds/server.ts";',
        'export * from "../store/index.ts";',
        'const y = import("../sidecar/a.ts");',
        'import "cytoscape";',
      ].join("\n"),
    );
    expect(findViolations(root).map((violation) => violation.imports)).toEqual([
      "server/xds/server.ts",
      "server/store/index.ts",
      "server/sidecar/a.ts",
      "cytoscape",
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("imports are read over several lines and with types", () => {
  expect(
    importsOf('import type {\n  A,\n  B,\n} from "./a.ts";\nimport "./b.ts";\nexport { c } from "./c.ts";'),
  ).toEqual(["./a.ts", "./b.ts", "./c.ts"]);
});
