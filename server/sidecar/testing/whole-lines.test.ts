import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { wholeLines } from "./whole-lines.ts";

it("leaves out a line whose end is not written yet", () => {
  const folder = mkdtempSync(join(tmpdir(), "whole-lines-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "access.log");
  expect(wholeLines(path)).toEqual([]);
  writeFileSync(path, 'ask-1 200\nask-2 {"filler":"xxxx');
  expect(wholeLines(path)).toEqual(["ask-1 200"]);
  writeFileSync(path, "ask-1 200\nask-2 403\n");
  expect(wholeLines(path)).toEqual(["ask-1 200", "ask-2 403"]);
});
