import { expect, test } from "vitest";
import { keepLastApplied } from "./last-applied.ts";
import type { ConfigObject } from "./object.ts";

const annotation = "kubectl.kubernetes.io/last-applied-configuration";
const object = (metadata: Partial<ConfigObject["metadata"]>): ConfigObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "a", namespace: "default", ...metadata },
  spec: {},
});
const stored = async () => [object({ annotations: { [annotation]: "{}", team: "a" } })];

test("what was edited without it keeps what kubectl remembers, and nothing else that was taken out", async () => {
  const edited = await keepLastApplied(object({ resourceVersion: "3" }), stored);
  expect(edited.metadata.annotations).toEqual({ [annotation]: "{}" });
  const other = await keepLastApplied(object({ resourceVersion: "3", annotations: { [annotation]: "{1}" } }), stored);
  expect(other.metadata.annotations).toEqual({ [annotation]: "{1}" });
});

test("what is new, or was not edited from a version, is as it was written", async () => {
  const made = object({});
  expect(await keepLastApplied(made, stored)).toBe(made);
  const unknown = object({ resourceVersion: "3", name: "b" });
  expect(await keepLastApplied(unknown, stored)).toBe(unknown);
});
