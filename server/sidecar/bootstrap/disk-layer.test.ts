import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { RuntimeLayer_DiskLayerSchema } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { Runtime } from "../runtime.ts";
import { DiskLayer } from "./disk-layer.ts";

let folder: string;
let layer: DiskLayer | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-runtime-"));
});
afterEach(() => {
  layer?.close();
  rmSync(folder, { recursive: true, force: true });
});

function tree(name: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return join(folder, name);
}

function start(fields: { subdirectory?: string; appendServiceCluster?: boolean } = {}) {
  const runtime = new Runtime();
  const errors: (string | undefined)[] = [];
  const config = create(RuntimeLayer_DiskLayerSchema, { symlinkRoot: join(folder, "current"), ...fields });
  layer = new DiskLayer(config, "reviews", (values, error) => {
    runtime.setLayer("disk", values);
    errors.push(error);
  });
  layer.start();
  return { runtime, errors };
}

/** As an operator does it: the new link takes the name in one step. */
function swap(target: string): void {
  symlinkSync(target, join(folder, "next"));
  renameSync(join(folder, "next"), join(folder, "current"));
}

it("paths are keys; a tree that takes the link's place is read", async () => {
  swap(
    tree("v1", {
      "envoy/fault/http/abort/abort_percent": "# as agreed\n30\n",
      "envoy/share": "numerator: 5\ndenominator: TEN_THOUSAND\n",
      "envoy/flag": "true",
      "elsewhere/x": "1",
      "envoy/..2026/x": "1",
    }),
  );
  const { runtime, errors } = start({ subdirectory: "envoy" });
  expect(runtime.keys).toEqual(["fault.http.abort.abort_percent", "flag", "share"]);
  expect(runtime.now({ key: "fault.http.abort.abort_percent", fallback: 0 })).toBe(0.3);
  expect(runtime.now({ key: "share", fallback: 0 })).toBe(0.0005);
  expect(runtime.get("flag")?.flag).toBe(true);
  swap(tree("v2", { "envoy/other": "7" }));
  await vi.waitFor(() => expect(runtime.keys).toEqual(["other"]), { timeout: 20_000 });
  expect(errors.every((error) => error === undefined)).toBe(true);
});

it("has values for each cluster of nodes where it says so", () => {
  swap(tree("v1", { "envoy/reviews/mine": "1", "envoy/ratings/theirs": "1" }));
  expect(start({ subdirectory: "envoy", appendServiceCluster: true }).runtime.keys).toEqual(["mine"]);
});

it("one that cannot be read, or goes past all bounds, has no values and says why", async () => {
  const { runtime, errors } = start();
  expect(errors).toEqual([`${join(folder, "current")}: ENOENT`]);
  swap(tree("many", Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, "1"]))));
  await vi.waitFor(() => expect(errors.at(-1)).toContain("more than 1000 files"), { timeout: 20_000 });
  swap(tree("long", { k: "x".repeat(64 * 1024 + 1) }));
  await vi.waitFor(() => expect(errors.at(-1)).toContain("longer than 65536 bytes"), { timeout: 20_000 });
  const loop = tree("loop", { k: "1" });
  symlinkSync(loop, join(loop, "again"));
  swap(loop);
  await vi.waitFor(() => expect(errors.at(-1)).toContain("deeper than 16"), { timeout: 20_000 });
  expect(runtime.keys).toEqual([]);
});
