import { expect, test } from "vitest";
import type { RateLimitConfigSpec } from "../config/kinds/index.ts";
import { parseDocuments } from "../config/kinds/index.ts";
import { Counters } from "./counters.ts";
import { RateLimiter } from "./rate-limiter.ts";

const config = (spec: string): RateLimitConfigSpec => {
  const parsed = parseDocuments(
    `apiVersion: limpid.dev/v1alpha1\nkind: RateLimitConfig\nmetadata: { name: a }\nspec:\n${spec}`,
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value[0]?.spec as RateLimitConfigSpec;
};

const shop = `
  domain: shop
  descriptors:
  - key: path
    value: /login
    rate_limit: { unit: minute, requests_per_unit: 3, name: logins }
    descriptors:
    - key: user
      rate_limit: { unit: second, requests_per_unit: 1 }
    - key: user
      value: admin
      rate_limit: { unlimited: true }
  - key: path
    value: /api/*
    rate_limit: { unit: hour, requests_per_unit: 5 }
  - key: path
    value: /api/slow/*
    rate_limit: { unit: hour, requests_per_unit: 1 }
  - key: path
    rate_limit: { unit: day, requests_per_unit: 2 }
    shadow_mode: true
`;

function setUp() {
  const limiter = new RateLimiter();
  limiter.reload([config(shop)]);
  const check = async (descriptor: Record<string, string>, { hits = 1, now = 0, domain = "shop" } = {}) => {
    const entries = Object.entries(descriptor).map(([key, value]) => ({ key, value }));
    const [verdict] = await limiter.check(domain, [{ entries }], hits, now);
    return verdict?.limit === undefined
      ? "none"
      : `${verdict.over ? "over" : "ok"} ${verdict.remaining} ${verdict.resetMs}`;
  };
  return { limiter, check };
}

test("the most particular descriptor counts: exact, longest beginning, key alone; to its depth and no other", async () => {
  const { check } = setUp();
  expect(await check({ path: "/login" })).toBe("ok 2 60000");
  expect(await check({ path: "/login", user: "joe" })).toBe("ok 0 1000");
  expect(await check({ path: "/login", user: "joe" })).toBe("over 0 1000");
  expect(await check({ path: "/login", user: "ann" })).toBe("ok 0 1000"); // each value has a count of its own
  expect(await check({ path: "/login", user: "admin" })).toBe("ok 4294967295 0");
  expect(await check({ path: "/api/carts" })).toBe("ok 4 3600000");
  expect(await check({ path: "/api/slow/x" })).toBe("ok 0 3600000");
  expect(await check({ path: "/login", other: "x" })).toBe("none");
  expect(await check({ other: "x" })).toBe("none");
  expect(await check({ path: "/login" }, { domain: "else" })).toBe("none");
});

test("hits count by their number, windows end, and a shadow refuses nobody", async () => {
  const { check } = setUp();
  expect(await check({ path: "/login" }, { hits: 4 })).toBe("over 0 60000");
  expect(await check({ path: "/login" }, { now: 59_999 })).toBe("over 0 1");
  expect(await check({ path: "/login" }, { now: 60_000 })).toBe("ok 2 60000");
  expect(await check({ path: "/" }, { hits: 9 })).toBe("ok 0 86400000");
});

test("another config is in force at once, and counts go on", async () => {
  const { limiter, check } = setUp();
  await check({ path: "/login" }, { hits: 3 });
  limiter.reload([config(shop.replace("requests_per_unit: 3", "requests_per_unit: 10"))]);
  expect(await check({ path: "/login" })).toBe("ok 6 60000");
  expect(limiter.usage(0)).toMatchObject([{ domain: "shop", descriptor: "path=/login", count: 4 }]);
  expect(limiter.usage(60_000)).toEqual([]);
  limiter.reload([]);
  expect(await check({ path: "/login" })).toBe("none");
});

test("an override of the request's own counts instead", async () => {
  const { limiter } = setUp();
  const asked = [
    { entries: [{ key: "path", value: "/login" }], override: { requestsPerUnit: 1, unit: "hour" as const } },
  ];
  expect((await limiter.check("shop", asked, 1, 0))[0]).toMatchObject({ over: false, remaining: 0 });
  expect((await limiter.check("shop", asked, 1, 0))[0]).toMatchObject({ over: true });
});

test("counters are bounded; what is over makes place", () => {
  const counters = new Counters(100);
  for (let i = 0; i < 150; i++) expect(counters.add(`a${i}`, 1, 1_000, 1).count).toBe(1);
  expect([counters.size, counters.uncounted]).toEqual([100, 50]);
  expect(counters.add("a3", 1, 1_000, 2).count).toBe(2);
  expect(counters.add("new", 1, 1_000, 1_500).count).toBe(1);
  expect(counters.size).toBe(1);
});

test.each([
  ["{ domain: a, descriptors: [{ key: x, rate_limit: { unit: fortnight, requests_per_unit: 1 } }] }", "unit"],
  ["{ domain: a, descriptors: [{ key: x, rate_limit: { unit: hour } }] }", "rate_limit.requests_per_unit"],
  ["{ domain: a, descriptors: [{ key: x }, { key: x }] }", "another descriptor for x"],
  ["{ domain: a, descriptors: [{ key: x, descriptors: [{ key: y, value: 1 }] }] }", "value"],
  ["{ descriptors: [] }", "domain"],
])("%s is refused", (spec, why) => {
  expect(() => config(`  ${spec}`)).toThrow(why);
});
