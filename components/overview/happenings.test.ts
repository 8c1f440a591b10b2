import { expect, it } from "vitest";
import type { PartRestart, ProxySync, PushSummary } from "../../server/contract/index.ts";
import { happenings } from "./happenings.ts";

const proxy = (name: string, over: Partial<ProxySync>): ProxySync =>
  ({ name, connected: true, connectedAt: 1, disconnectedAt: null, types: {}, ...over }) as ProxySync;
const absence = (from: number, to: number, whose: "proxy" | "control-plane" = "proxy") => ({ from, to, whose });
const restart = (part: string, at: number, over: Partial<PartRestart> = {}): PartRestart => ({
  ...{ part, kind: part, node: null, at, servedAt: at + 2000, cause: "ended", how: "SIGKILL" },
  ...over,
});
const refusal = (id: string, ms: number) => ({ id, name: id, state: "nacked" as const, ms, error: "no" });
const push = (revision: number, committedAt: number, trouble: PushSummary["trouble"]): PushSummary => ({
  ...{ revision, committedAt, author: "eve", reason: null, complete: true, ms: 9, proxies: 3, acked: 1, trouble },
});

it("tells who went and who came back, many at once and the control plane's restart once", () => {
  const left = (to: number) => absence(to - 3000, to, "control-plane");
  const proxies = [
    proxy("a", { absences: [absence(100_000, 200_000), left(500_000)] }),
    proxy("b", { absences: [absence(101_000, 230_000), left(502_000), absence(880_000, 900_000)] }),
    proxy("c", { connected: false, disconnectedAt: 950_000, absences: [left(512_000)] }),
    proxy("d", {}),
  ];
  expect(happenings({ proxies })).toEqual([
    { at: 950_000, what: "went", names: ["c"] },
    { at: 900_000, what: "came", names: ["b"] },
    { at: 880_000, what: "went", names: ["b"] },
    { at: 500_000, what: "planned", names: ["control-plane"], how: null },
    { at: 230_000, what: "came", names: ["b"] },
    { at: 200_000, what: "came", names: ["a"] },
    { at: 100_000, what: "went", names: ["a", "b"] },
  ]);
});

it("tells of parts that were started again and why, of the control plane once, and of proxies only that they went", () => {
  const proxies = [proxy("a", { absences: [absence(100_000, 103_000, "control-plane")] })];
  const restarts = [
    restart("collector", 300_000),
    restart("reviews-v2", 301_000),
    restart("details-v1", 200_000, { cause: "hung" }),
    restart("control-plane", 99_000),
    restart("reviews-v2 proxy", 50_000, { node: "sidecar~1" }),
  ];
  expect(happenings({ proxies, restarts }).map(({ at, what, names }) => ({ at, what, names }))).toEqual([
    { at: 300_000, what: "ended", names: ["collector", "reviews-v2"] },
    { at: 200_000, what: "hung", names: ["details-v1"] },
    { at: 99_000, what: "ended", names: ["control-plane"] },
  ]);
});

it("tells what was refused, by push, and after a restart of the control plane what still is", () => {
  const pushes = [push(7, 100_000, [refusal("a", 20), refusal("b", 30)]), push(8, 160_000, [])];
  const error = { resource: "r", detail: "no", origin: null, inForceSinceMs: null };
  const refuses = (refusedAtMs: number) => ({
    types: { LDS: { state: "ERROR" as const, resources: 1, sinceMs: 1, errors: [{ ...error, refusedAtMs }] } },
  });
  const proxies = [
    proxy("a", refuses(100_020) as Partial<ProxySync>),
    proxy("c", refuses(500_000) as Partial<ProxySync>),
  ];
  expect(happenings({ proxies, pushes })).toEqual([
    { at: 500_000, what: "refused", names: ["c"], revision: null },
    { at: 100_020, what: "refused", names: ["a", "b"], revision: 7 },
  ]);
});
