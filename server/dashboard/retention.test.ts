import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { retentionBook } from "../store/retention-book.ts";
import { effectiveRetention } from "../wire/retention-settings.ts";
import { createRetention, followedSteps } from "./retention.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "limpid-retention-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const bookOf = () => retentionBook({ data, root: "", database: undefined });
const callsOf = (own?: string) => createRetention({ book: bookOf(), own });

it("lists every setting with its default and the disk it takes, and what is set is kept beside the telemetry", async () => {
  const calls = callsOf();
  const before = (await calls.retention()).settings;
  expect(before.find(({ name }) => name === "access-logs")).toEqual({
    ...{ name: "access-logs", kind: "duration", value: "1d", default: "1d", set: null, fixed: false, disk: null },
  });
  const spans = before.find(({ name }) => name === "max-spans");
  const after = await calls.setRetention({ settings: { "access-logs": " 36h ", "max-spans": "2000000", logs: "" } });
  expect(after).toEqual(await callsOf().retention());
  const named = new Map(after.settings.map((setting) => [setting.name, setting]));
  expect(named.get("access-logs")).toMatchObject({ value: "36h", default: "1d", set: "36h" });
  expect(named.get("max-spans")?.disk).toEqual({ bytes: 2 * (spans?.disk?.bytes ?? 0), perEdge: false });
  expect(named.get("logs")).toMatchObject({ value: "1d", set: null });
  expect(effectiveRetention(await bookOf().read(), "").retention).toMatchObject({
    samplesSec: 36 * 3600,
    maxSpans: 2e6,
  });
  await calls.setRetention({ settings: {} });
  expect((await calls.retention()).settings).toEqual(before);
});

it("a flag or a variable goes before what is set here, and is said to", async () => {
  const calls = callsOf("max-spans=5000,rollup-10s=4h");
  const { settings } = await calls.setRetention({ settings: { "max-spans": "7000", "max-logs": "9" } });
  const named = new Map(settings.map((setting) => [setting.name, setting]));
  expect(named.get("max-spans")).toMatchObject({ value: "5000", set: "7000", fixed: true });
  expect(named.get("max-logs")).toMatchObject({ value: "9", fixed: false });
  // Right in itself, and not beside the variable.
  await expect(calls.setRetention({ settings: { "rollup-1m": "3h" } })).rejects.toMatchObject({ code: "INVALID" });
  expect(effectiveRetention("rollup-1m=3h", "rollup-10s=4h")).toMatchObject({
    retention: { steps: { 10: 4 * 3600, 60: 2 * 86_400 } },
    why: expect.stringContaining("a coarser step must be kept as long as a finer one"),
  });
});

it("tells all that is wrong, by the setting", async () => {
  const settings = { "access-logs": "soon", "max-logs": "-1", "max-spans": "5,logs=1s", nothing: "1d" };
  const error = await callsOf()
    .setRetention({ settings })
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "INVALID" });
  const { errors } = error as { errors: { path: string; message: string }[] };
  const told = new Map(errors.map(({ path, message }) => [path, message]));
  expect(told.get("settings.access-logs")).toBe("must be a duration of a second or more, such as 36h or 7d, not soon");
  expect(told.get("settings.max-logs")).toBe("must be a whole number above 0, not -1");
  expect(told.get("settings.max-spans")).toContain("must be a whole number above 0");
  expect(told.get("settings.nothing")).toContain("there is no setting nothing; there are rollup-1s,");
  expect(await bookOf().read()).toBe("");
});

it("read models follow what is set", async () => {
  const followed = followedSteps({ book: bookOf(), own: undefined });
  expect(followed.steps[3600]).toBe(30 * 86_400);
  await callsOf().setRetention({ settings: { "rollup-1h": "90d" } });
  await followed.follow();
  expect(followed.steps[3600]).toBe(90 * 86_400);
});
