import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openAlertBook } from "../store/open-alert-book.ts";
import { oneOfTwoTells } from "./testing/one-of-two-tells.ts";

function folder(): string {
  const data = mkdtempSync(join(tmpdir(), "limpid-alerts-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  return data;
}

it("of two dashboards with one data folder one tells, the other shows it, and goes on when the first has ended", async () => {
  const data = folder();
  await oneOfTwoTells(() => openAlertBook({ data, database: undefined }));
  expect(statSync(join(data, "alert-receivers.json")).mode & 0o777, "an address is a key").toBe(0o600);
});

it("a leader that resigned writes no more, and a file of before reasons had words is read", async () => {
  const data = folder();
  const book = openAlertBook({ data, database: undefined });
  const leadership = await book.lead();
  await leadership?.resign();
  await expect(leadership?.keep([])).rejects.toThrow("another dashboard leads");
  const delivery = { receiver: "hook", phase: "fired", state: "failed", at: 1, why: "answered 500" };
  const notice = {
    ...{
      id: "a",
      rule: "r",
      builtIn: true,
      severity: "Info",
      measure: "errors",
      limit: 5,
      value: 9,
      worst: 9,
      last: 9,
    },
    ...{ subject: { kind: "service", namespace: "n", name: "a", id: "a.n" }, since: 1, firedAt: 1, clearedAt: null },
    ...{ end: null, deliveries: [delivery], muted: false },
  };
  writeFileSync(join(data, "alerts.json"), JSON.stringify({ notices: [notice] }));
  expect((await book.notices())[0]?.deliveries).toMatchObject([{ why: { message: "answered 500" } }]);
});
