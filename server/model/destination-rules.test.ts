import { describe, expect, it } from "vitest";
import { objectsOf } from "../translate/testing/cases.ts";
import { findDestinationRule, indexDestinationRules } from "./destination-rules.ts";

const rule = (name: string, spec: string, namespace = "default", at = "2026-01-01") => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name}, namespace: ${namespace}, creationTimestamp: "${at}T00:00:00Z" }
spec: { ${spec} }
`;
const host = "reviews.default.svc.cluster.local";
const selects = (labels: string) => `workloadSelector: { matchLabels: { ${labels} } }`;

/** Which objects a client of the labels follows. */
function followed(rules: string[], labels?: Record<string, string>, client = "default"): string[] {
  const index = indexDestinationRules(objectsOf(rules.join("---")), "cluster.local");
  const found = findDestinationRule(index, host, "default", client, "istio-system", labels);
  return (found?.sources ?? []).map(({ metadata }) => metadata.name);
}

describe("a rule with a workloadSelector", () => {
  const all = rule("all", "host: reviews");
  const mine = rule("mine", `host: reviews, ${selects("app: a")}`, "default", "2026-01-02");

  it("goes before those for everybody, whatever their age, for clients that it selects in its namespace", () => {
    expect(followed([all, mine], { app: "a", version: "v1" })).toEqual(["mine"]);
    expect(followed([all, mine], { app: "b" })).toEqual(["all"]);
    expect(followed([all, mine], { app: "a" }, "shop")).toEqual(["all"]);
    expect(followed([all, mine])).toEqual(["all"]);
  });

  it("is merged with those that select alike, and with no others", () => {
    const too = rule("too", `host: reviews, ${selects("app: a")}`, "default", "2026-01-03");
    const other = rule("other", `host: reviews, ${selects("version: v1")}`, "default", "2026-01-04");
    const labels = { app: "a", version: "v1" };
    expect(followed([other, too, mine, all], labels)).toEqual(["mine", "too"]);
    expect(followed([other, all], labels)).toEqual(["other"]);
  });

  it("selects every client of its namespace without labels", () => {
    expect(followed([all, rule("whole", "host: reviews, workloadSelector: {}")], {})).toEqual(["whole"]);
  });

  it("hides nothing from clients that it does not select: wider rules, and those of other namespaces", () => {
    const wide = rule("wide", 'host: "*.svc.cluster.local"');
    expect(followed([wide, mine], { app: "b" })).toEqual(["wide"]);
    expect(followed([wide, mine], { app: "a" })).toEqual(["mine"]);
    const elsewhere = rule("here", `host: ${host}, ${selects("app: a")}`, "shop");
    expect(followed([all, elsewhere], { app: "b" }, "shop")).toEqual(["all"]);
    expect(followed([all, elsewhere], { app: "a" }, "shop")).toEqual(["here"]);
  });

  it("of a narrower host goes before one of a wider, whether that selects or not", () => {
    const wide = rule("wide", `host: "*.svc.cluster.local", ${selects("app: a")}`);
    expect(followed([wide, all], { app: "a" })).toEqual(["all"]);
    expect(followed([wide], { app: "a" })).toEqual(["wide"]);
  });
});
