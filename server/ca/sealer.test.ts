import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSealer } from "./sealer.ts";

test("a key that is there is read and nothing is written, as on a file system that can only be read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-sealer-"));
  try {
    const path = join(folder, "secrets.key");
    const sealed = (await openSealer(path)).seal(Buffer.from("s3cret"), "here");
    const before = statSync(folder, { bigint: true }).mtimeNs;
    expect((await openSealer(path)).open(sealed, "here")?.toString()).toBe("s3cret");
    expect(statSync(folder, { bigint: true }).mtimeNs).toBe(before);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
