import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { findViolations, importsOf, sidecarRooms } from "./boundaries.ts";

test("the repository keeps the dependency rule", () => {
  expect(findViolations(resolve(import.meta.dirname, ".."))).toEqual([]);
});

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
