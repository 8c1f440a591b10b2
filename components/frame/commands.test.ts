import { expect, it } from "vitest";
import { matchCommands } from "./commands.ts";

const command = (label: string, group = "page", acts = false) => ({ id: label, label, group, acts, run: () => {} });
const all = [
  command("Services"),
  command("Faults"),
  command("Shift traffic of reviews", "action", true),
  command("reviews", "service in default"),
  command("details", "service in default"),
  command("Inject a fault into details", "action", true),
  command("Stop the fault on ratings", "action", true),
  command("api.vendor.test", "service in default"),
];
const labels = (text: string) => matchCommands(all, text).map((found) => found.label);

it("offers everything, in order, before a word is typed", () =>
  expect(labels("")).toEqual(all.map(({ label }) => label)));

it("wants every word to begin one, in label or group, whatever the case", () => {
  expect(labels("REV shift")).toEqual(["Shift traffic of reviews"]);
  expect(labels("service default")).toEqual(["reviews", "details", "api.vendor.test"]);
  expect(labels("vendor")).toEqual(["api.vendor.test"]);
  expect(labels("nowhere")).toEqual([]);
});

it("finds no fault in default", () => {
  expect(labels("fault details")).toEqual(["Inject a fault into details"]);
  expect(labels("fault")).toEqual(["Faults", "Inject a fault into details", "Stop the fault on ratings"]);
  expect(labels("stop")).toEqual(["Stop the fault on ratings"]);
});

it("puts what starts with the text first", () =>
  expect(labels("rev")).toEqual(["reviews", "Shift traffic of reviews"]));

it("finds Chinese words anywhere", () => {
  const chinese = [command("向 details 注入故障"), command("故障"), command("服务")];
  expect(matchCommands(chinese, "故障").map(({ label }) => label)).toEqual(["故障", "向 details 注入故障"]);
});
