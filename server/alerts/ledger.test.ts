import { expect, it } from "vitest";
import type { Finding } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { type AlertRule, builtInRules } from "./rules.ts";

const rule: AlertRule = {
  ...{ key: "default/errors", builtIn: false, severity: "Warning", windowSec: 60, forMs: 60_000, receivers: undefined },
  ...{ suspended: false, mutedUntil: 0, namespace: "default", service: undefined, when: { of: "errors", above: 5 } },
};
const finding = (name: string, value: number | null): Finding => ({
  subject: { kind: "service", namespace: "default", name, id: `${name}.default` },
  breach: value === null ? null : { measure: "errors", value, limit: 5 },
});

it("tells once of what lasts, with the worst of it, and once more when it has been well for a while", () => {
  const ledger = new Ledger();
  const look = (second: number, value: number | null) =>
    ledger.look(rule, [finding("a", value)], second * 1000).map(({ phase }) => phase);
  expect([look(0, 10), look(59, 10), look(60, 20)]).toEqual([[], [], ["fired"]]);
  expect([look(65, 40), look(70, null), look(75, 30), look(80, null), look(109, null)]).toEqual([[], [], [], [], []]);
  expect(look(110, null)).toEqual(["cleared"]);
  expect(ledger.active).toEqual([]);
  expect(ledger.over).toMatchObject([
    { value: 20, worst: 40, last: 30, since: 0, firedAt: 60_000, clearedAt: 110_000, end: "recovered" },
  ]);
  expect(look(115, 10)).toEqual([]);
});

it("does not tell of what comes and goes", () => {
  const ledger = new Ledger();
  for (let second = 0; second < 600; second += 30) {
    expect(ledger.look(rule, [finding("a", second % 60 === 0 ? 10 : null)], second * 1000)).toEqual([]);
  }
});

it("keeps what it told of while nothing can be known, and ends it when nobody is there or asks any more", () => {
  const ledger = new Ledger();
  for (const second of [0, 60]) ledger.look(rule, [finding("a", 10), finding("b", 10)], second * 1000);
  expect(ledger.look(rule, undefined, 300_000)).toEqual([]);
  expect(ledger.active).toHaveLength(2);
  expect(ledger.look(rule, [finding("b", 10)], 305_000)).toMatchObject([
    { phase: "cleared", notice: { end: "gone", subject: { name: "a" } } },
  ]);
  expect(ledger.look({ ...rule, suspended: true }, [finding("b", 10)], 310_000)).toMatchObject([
    { phase: "cleared", notice: { end: "rule-gone" } },
  ]);
  for (const second of [400, 460]) ledger.look(rule, [finding("b", 10)], second * 1000);
  expect(ledger.forgetOthers(builtInRules, 500_000)).toMatchObject([{ notice: { end: "rule-gone" } }]);
});

it("goes on with what was told before a restart", () => {
  const before = new Ledger();
  for (const second of [0, 60]) before.look(rule, [finding("a", 10)], second * 1000);
  const after = new Ledger(structuredClone(before.active));
  expect(after.look(rule, [finding("a", 10)], 70_000)).toEqual([]);
  expect([
    after.look(rule, [finding("a", null)], 80_000),
    after.look(rule, [finding("a", null)], 110_000),
  ]).toMatchObject([[], [{ phase: "cleared" }]]);
});

it("keeps 500 of those that are over, and has 500 at once", () => {
  const ledger = new Ledger();
  const many = (value: number | null) => Array.from({ length: 800 }, (_, i) => finding(`s${i}`, value));
  ledger.look(rule, many(10), 0);
  expect(ledger.look(rule, many(10), 60_000)).toHaveLength(500);
  ledger.look(rule, many(null), 70_000);
  ledger.look(rule, many(null), 100_000);
  for (const second of [200, 260, 270, 300]) ledger.look(rule, many(second < 270 ? 10 : null), second * 1000);
  expect(ledger.over).toHaveLength(500);
});
