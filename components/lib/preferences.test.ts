import { expect, it } from "vitest";
import { preferenceIn } from "./preferences.ts";

it("reads one cookie among others, and nothing of a longer name", () => {
  const cookies = "restart=1; start=%2Ftopology; locale=zh-CN";
  expect(preferenceIn(cookies, "start")).toBe("/topology");
  expect(preferenceIn(cookies, "locale")).toBe("zh-CN");
  expect(preferenceIn(cookies, "tour")).toBeNull();
  expect(preferenceIn("", "motion")).toBeNull();
});
