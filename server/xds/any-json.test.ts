import { expect, it } from "vitest";
import { registry } from "../proto/registry.ts";
import { extensionRegistry } from "../sidecar/supported/supported-fields.ts";

it("shows every extension that the bundled sidecar takes: what is translated for Envoy is among them", () => {
  const missing = [...extensionRegistry].flatMap(({ kind, typeName }) =>
    kind === "message" && registry.getMessage(typeName) === undefined ? [typeName] : [],
  );
  expect(missing).toEqual([]);
});
