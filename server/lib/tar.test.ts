import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tar } from "./tar.ts";

it("writes what tar itself reads", () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-tar-"));
  try {
    const exact = "x".repeat(512);
    writeFileSync(
      join(folder, "a.tar"),
      tar(
        [
          { name: "bundle/a.json", data: '{"a":1}\n' },
          { name: "bundle/proxies/empty.txt", data: "" },
          { name: "bundle/exact.txt", data: exact },
        ],
        1_764_380_000_000,
      ),
    );
    execFileSync("tar", ["-xf", "a.tar"], { cwd: folder });
    expect(readFileSync(join(folder, "bundle/a.json"), "utf8")).toBe('{"a":1}\n');
    expect(readFileSync(join(folder, "bundle/proxies/empty.txt"), "utf8")).toBe("");
    expect(readFileSync(join(folder, "bundle/exact.txt"), "utf8")).toBe(exact);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it("refuses a name that the format has no room for", () => {
  expect(() => tar([{ name: "x".repeat(101), data: "" }], 0)).toThrow(RangeError);
});
