import { describe, expect, test } from "vitest";
import { warn } from "./testing/warn.ts";

describe("a DestinationRule for some workloads", () => {
  const rule = (spec: string) =>
    warn(`{ kind: DestinationRule, metadata: { name: some }, spec: { host: reviews, ${spec} } }`);

  test("that nobody is, that all are, and others of whom nobody is", () => {
    expect(rule("workloadSelector: { matchLabels: { app: ratings } }")).toEqual([]);
    expect(rule("workloadSelector: { matchLabels: { app: nobody } }")).toEqual([
      "spec.workloadSelector.matchLabels: no workload of the namespace default has the labels app=nobody: it is for nobody",
    ]);
    expect(rule("workloadSelector: {}, exportTo: [shop]")).toEqual([
      "spec.workloadSelector: has no labels: the rule is for every workload of the namespace default, before those without a selector",
      "spec.exportTo: does not reach shop: a workloadSelector selects in the namespace default alone",
    ]);
  });

  test("that lacks a subset of everybody's to which a route sends", () => {
    const own =
      "{ kind: DestinationRule, metadata: { name: some }, spec: { host: reviews, workloadSelector: { matchLabels: { app: ratings } } } }";
    const route =
      "{ kind: VirtualService, metadata: { name: r }, spec: { hosts: [reviews], http: [{ route: [{ destination: { host: reviews, subset: v1 } }] }] } }";
    expect(warn(`${own}\n---\n${route}`)).toEqual([
      "spec.subsets: lacks v1 of DestinationRule default/reviews, to which routes send: for workloads that are selected, what goes to these subsets of reviews.default.svc.cluster.local is answered 503",
    ]);
    expect(warn(own)).toEqual([]);
  });

  test("is no rival of one for everybody, and its subsets are known", () => {
    const own = "workloadSelector: { matchLabels: { app: ratings } }";
    expect(rule(`${own}, subsets: [{ name: v1, labels: { version: v1 } }]`)).toEqual([]);
    const written = `{ kind: DestinationRule, metadata: { name: some }, spec: { host: ratings, ${own}, subsets: [{ name: mine, labels: { version: v1 } }] } }`;
    const route =
      "{ kind: VirtualService, metadata: { name: r }, spec: { hosts: [ratings], http: [{ route: [{ destination: { host: ratings, subset: mine } }] }] } }";
    expect(warn(`${written}\n---\n${route}`)).toEqual([]);
  });
});
