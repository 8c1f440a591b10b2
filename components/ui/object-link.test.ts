import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** Addresses of what may be gone by the time that it is asked for. */
const toObjects = /<Link\b[^>]*?href=\{[^}]*\b(serviceHref|traceHref|logTraceHref|objectHref|ruleHref)\(/;

test("no page of something that may be gone is fetched before anybody asks for it", () => {
  const files = globSync("{app,components}/**/*.tsx", { cwd: root });
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => toObjects.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
});
