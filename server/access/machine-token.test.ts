import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureMachineToken, machineTokenFile } from "./machine-token.ts";

let data = "";
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "limpid-token-"));
});
afterEach(() => rmSync(data, { recursive: true }));

test("is made once, and closed again to others", () => {
  const token = ensureMachineToken(data);
  const path = join(data, machineTokenFile);
  chmodSync(path, 0o644);
  expect(ensureMachineToken(data)).toBe(token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("one that is there is read and nothing is written, as on a file system that can only be read", () => {
  const token = ensureMachineToken(data);
  const at = () => [data, join(data, machineTokenFile)].map((path) => statSync(path, { bigint: true }).ctimeNs);
  const before = at();
  expect(ensureMachineToken(data)).toBe(token);
  expect(at()).toEqual(before);
});
