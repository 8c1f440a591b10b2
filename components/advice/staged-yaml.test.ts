import { expect, it } from "vitest";
import { atStage } from "./staged-yaml.ts";

const yaml = "kind: AuthorizationPolicy\nmetadata:\n  name: a\nspec:\n  action: ALLOW\n";

it("goes from trial to force and back, and loses nothing", () => {
  const trial = atStage(yaml, "dry-run");
  expect(trial).toContain('metadata:\n  annotations:\n    istio.io/dry-run: "true"\n  name: a');
  expect(atStage(trial, "dry-run")).toBe(trial);
  expect(atStage(trial, "audit")).toBe(yaml.replace("ALLOW", "AUDIT"));
  expect(atStage(atStage(trial, "audit"), "enforce")).toBe(yaml);
});
