import { expect, test } from "vitest";
import type { ConfigObject } from "../../../config/object.ts";
import { keyOf } from "../../../config/object.ts";
import type { Commit, ConfigChange } from "../../../config/store.ts";
import { overReason, toChange, undoReason } from "./change-summary.ts";

const virtualService = (...http: object[]): ConfigObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "reviews", namespace: "default" },
  spec: { hosts: ["reviews"], http },
});
const split = (weights: Record<string, number>) => ({
  route: Object.entries(weights).map(([subset, weight]) => ({
    destination: { host: "reviews.default.svc.cluster.local", ...(subset ? { subset } : {}) },
    weight,
  })),
});
const byHost = (weights: Record<string, number>) => ({
  route: Object.entries(weights).map(([host, weight]) => ({
    destination: { host: `${host}.default.svc.cluster.local` },
    weight,
  })),
});
const abort = { fault: { abort: { percentage: { value: 50 }, httpStatus: 503 } } };
const delay = { fault: { delay: { percentage: { value: 10 }, fixedDelay: "2s" } } };
const jason = { match: [{ headers: { "end-user": { exact: "jason" } } }] };

function change(before: ConfigObject | undefined, after: ConfigObject | undefined): ConfigChange {
  const object = after ?? before;
  if (object === undefined) throw new Error("nothing changed");
  const type = before === undefined ? "ADDED" : after === undefined ? "DELETED" : "MODIFIED";
  return { type, key: keyOf(object), ...(before && { before }), ...(after && { after }) };
}
const summary = (changes: ConfigChange[], reason?: string) => {
  const commit: Commit = { revision: 1, at: 1, author: "a", changes, ...(reason && { reason }) };
  const { kind, summary: text } = toChange(commit);
  return [kind, text];
};

test.each([
  [[split({ v1: 80, v2: 20, v3: 0 })], [split({ v1: 70, v2: 20, v3: 10 })], ["traffic", "reviews 80/20/0 → 70/20/10"]],
  [[split({ v1: 100 })], [split({ v1: 50, v3: 50 })], ["traffic", "reviews 100/0 → 50/50"]],
  [[split({ v1: 1 })], [split({ v1: 100 })], ["config", "changed VirtualService reviews"]],
  [[split({ "": 100 })], [split({ v1: 80, v2: 20 })], ["traffic", "reviews all versions → 80/20"]],
  [[byHost({ a: 50, b: 50 })], [byHost({ b: 30, a: 70 })], ["traffic", "a/b 50/50 → 70/30"]],
  [[byHost({ a: 100 })], [byHost({ a: 70, b: 30 })], ["traffic", "a/b 100/0 → 70/30"]],
  [[byHost({ a: 100 })], [byHost({ b: 100 })], ["config", "changed VirtualService reviews"]],
  [
    [split({ v1: 100 })],
    [{ ...jason, ...split({ v2: 100 }) }, split({ v1: 100 })],
    ["config", "changed VirtualService reviews"],
  ],
  [
    [{ ...jason, ...split({ v2: 100 }) }, split({ v1: 100 })],
    [{ ...jason, ...split({ v2: 100 }) }, split({ v1: 0, v3: 100 })],
    ["traffic", "reviews 100/0 → 0/100"],
  ],
  [[split({ v1: 100 })], [{ ...abort, ...split({ v1: 100 }) }], ["fault-start", "fault on reviews: 50 % 503"]],
  [[split({ v1: 100 })], [{ ...delay, ...split({ v1: 100 }) }], ["fault-start", "fault on reviews: 10 % 2s late"]],
  [[{ ...abort, ...split({ v1: 100 }) }], [split({ v1: 100 })], ["fault-end", "fault on reviews ended"]],
  [
    [{ ...abort, ...split({ v1: 100 }) }],
    [{ ...abort, ...split({ v1: 90, v2: 10 }) }],
    ["traffic", "reviews 100/0 → 90/10"],
  ],
])("%#: %j → %j", (before, after, expected) => {
  expect(summary([change(virtualService(...before), virtualService(...after))])).toEqual(expected);
});

test("what is made, deleted, and said", () => {
  const made = change(undefined, virtualService(split({ v1: 80, v2: 20 })));
  const plain = change(undefined, virtualService(split({ v1: 100 })));
  expect(summary([made])).toEqual(["traffic", "reviews → 80/20"]);
  expect(summary([plain])).toEqual(["config", "created VirtualService reviews"]);
  expect(summary([made, plain, plain, plain])).toEqual(["config", "created 4 objects"]);
  expect(summary([change(virtualService(split({ v1: 100 })), undefined)])).toEqual([
    "config",
    "deleted VirtualService reviews",
  ]);
  expect(summary([made], "canary of Tuesday")).toEqual(["traffic", "canary of Tuesday"]);
});

test("says the weights before and after apart, also of an undo whose words are about what it undoes", () => {
  const changes = [change(virtualService(split({ v1: 70, v2: 30 })), virtualService(split({ v1: 80, v2: 20 })))];
  const undo: Commit = { revision: 6, at: 1, author: "a", reason: "undo of 5: reviews 80/20 → 70/30", changes };
  expect(toChange(undo)).toMatchObject({ kind: "traffic", weights: { before: "70/30", after: "80/20" } });
  const first = toChange({ ...undo, changes: [change(undefined, virtualService(split({ v1: 80, v2: 20 })))] });
  expect(first.weights).toEqual({ before: null, after: "80/20" });
});

test("says in parts what it says in English", () => {
  const shift = change(virtualService(split({ "": 100 })), virtualService(split({ v1: 80, v2: 20 })));
  const words = (changes: ConfigChange[], reason?: string) =>
    toChange({ revision: 9, at: 1, author: "a", changes, ...(reason && { reason }) }).words;
  const shifted = { code: "shift", service: "reviews", before: null, after: "80/20" };
  expect(words([shift])).toEqual([shifted]);
  expect(words([shift], "reviews all versions → 80/20")).toEqual([shifted]);
  expect(words([shift], undoReason(5, [shift]))).toEqual([{ code: "undo", revision: 5 }, shifted]);
  expect(words([shift], "undo of 5: what I did")).toEqual([{ code: "own", text: "undo of 5: what I did" }]);
  expect(words([shift], "design usual-alerts")).toEqual([{ code: "design", design: "usual-alerts" }]);
  expect(words([shift], "the Bookinfo demo")).toEqual([{ code: "limpid", what: "demo" }]);
  expect(words([shift], "canary of Tuesday")).toEqual([{ code: "own", text: "canary of Tuesday" }]);
  const both = { fault: { ...delay.fault, abort: { percentage: { value: 50 }, grpcStatus: "UNAVAILABLE" } } };
  const burning = virtualService({ ...both, ...split({ v1: 100 }) });
  expect(words([change(virtualService(split({ v1: 100 })), burning)])).toEqual([
    {
      code: "fault-start",
      service: "reviews",
      delay: { percentage: 10, time: "2s" },
      abort: { percentage: 50, status: "UNAVAILABLE" },
    },
  ]);
  const ended = [change(burning, virtualService(split({ v1: 100 })))];
  expect(words(ended, overReason("reviews"))).toEqual([{ code: "fault-over", service: "reviews" }]);
  expect(words([change(burning, undefined)])).toEqual([{ code: "fault-end", service: "reviews" }]);
});

test("a first split between services is told by their names", () => {
  const made = (rule: object) => [change(undefined, virtualService(rule))];
  expect(summary(made(byHost({ details: 50, ratings: 50 })))).toEqual(["traffic", "details/ratings → 50/50"]);
  expect(summary(made(split({ v1: 90, v2: 10 })))).toEqual(["traffic", "reviews → 90/10"]);
});
