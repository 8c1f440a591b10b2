import { expect, it } from "vitest";
import type { Routing } from "../../server/contract/index.ts";
import { configuredShares } from "./split-section.tsx";

type Rule = Routing["rules"][number];
const to = (version: string | null, weight: number): Rule["destinations"][number] => ({
  host: "reviews",
  ours: true,
  subset: version,
  version,
  weight,
});
const rule = (index: number, destinations: Rule["destinations"], matches: string[] = []): Rule => ({
  index,
  name: null,
  matches,
  destinations,
  timeout: null,
  retries: null,
  mirror: null,
  fault: null,
  redirect: null,
});
const routing = (...rules: Rule[]): Routing => ({
  hostname: "reviews.default.svc.cluster.local",
  virtualService: null,
  destinationRule: null,
  rules,
  versions: ["v1", "v2", "v3"].map((version) => ({ version, subset: version })),
  proxies: 7,
  entrances: [],
});

it("takes the rule for everything else, and says 0 for a version without weight", () => {
  const shares = configuredShares(
    routing(rule(0, [to("v3", 100)], ["header end-user = jason"]), rule(1, [to("v1", 80), to("v2", 20)])),
  );
  expect(shares).toEqual({ rule: 1, shares: { v1: 0.8, v2: 0.2, v3: 0 } });
});

it("gives a lone destination everything, whatever its weight says", () => {
  expect(configuredShares(routing(rule(0, [to("v2", 0)])))?.shares).toEqual({ v1: 0, v2: 1, v3: 0 });
});

it("has nothing to say without a rule, or when a destination names no version", () => {
  expect(configuredShares(routing())).toBeNull();
  expect(configuredShares(routing(rule(0, [to(null, 100)])))).toBeNull();
});
