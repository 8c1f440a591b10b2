import { expect, it } from "vitest";
import { matchCommands } from "./commands.ts";

const command = (label: string, group = "page") => ({ id: label, label, group, run: () => {} });
const all = [
  command("Services"),
  command("Shift traffic of reviews", "action"),
  command("reviews", "service in default"),
];
const labels = (text: string) => matchCommands(all, text).map((found) => found.label);

it("offers everything, in order, before a word is typed", () =>
  expect(labels("")).toEqual(all.map(({ label }) => label)));
it("wants every word, in label or group, whatever the case", () => {
  expect(labels("REV shift")).toEqual(["Shift traffic of reviews"]);
  expect(labels("default")).toEqual(["reviews"]);
  expect(labels("nowhere")).toEqual([]);
});
it("puts what starts with the text first", () =>
  expect(labels("rev")).toEqual(["reviews", "Shift traffic of reviews"]));
