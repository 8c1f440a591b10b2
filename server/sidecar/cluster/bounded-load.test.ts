import { expect, it } from "vitest";
import { MersenneTwister } from "../hash/mersenne-twister.ts";
import { xxHash64 } from "../hash/xx-hash64.ts";
import { anyHost } from "./balancer.ts";
import { PriorityBalancer } from "./priorities.ts";
import { testEndpoint } from "./testing/endpoint.ts";

it("the twister gives C++'s numbers", () => {
  // The standard names the ten thousandth of the default seed: 4123659995.
  const random = new MersenneTwister(5489);
  for (let i = 1; i < 10_000; i++) random.next();
  expect(random.next()).toBe(4_123_659_995);
});

const bounded = (balanceFactor: number, hosts = 4) => {
  const endpoints = Array.from({ length: hosts }, (_, i) => testEndpoint(1000 + i));
  const config = { kind: "maglev", tableSize: 251, byHostname: false, balanceFactor } as const;
  const options = { config, panicThreshold: 50, localityWeighted: false };
  const balancer = new PriorityBalancer(endpoints, options, { random: Math.random, now: () => 0 });
  const pick = (key: string) => balancer.pick({ ...anyHost, hash: xxHash64(key) });
  return { endpoints, pick };
};

it("no host has more than its share times the factor, and those that give way always do so to the same", () => {
  const { endpoints, pick } = bounded(120);
  const order: number[] = [];
  for (let i = 0; i < 40; i++) {
    const host = pick("one key");
    if (host === undefined) throw new Error("none");
    host.active++;
    order.push(host.config.port);
  }
  // 40 in flight, four hosts: ten each, and at most twelve and the one that was let in.
  for (const { active } of endpoints) expect(active).toBeLessThanOrEqual(13);
  const again = bounded(120);
  const second = order.map(() => {
    const host = again.pick("one key");
    if (host !== undefined) host.active++;
    return host?.config.port;
  });
  expect(second).toEqual(order);
});

it("keeps keys at their hosts while there is room", () => {
  const free = bounded(150);
  const plain = bounded(0);
  for (let i = 0; i < 200; i++) expect(free.pick(`${i}`)?.config.port).toBe(plain.pick(`${i}`)?.config.port);
});

it("when all are full, the one nearest to having room", () => {
  const { endpoints, pick } = bounded(100, 2);
  const [first, second] = endpoints;
  if (first === undefined || second === undefined) throw new Error("two");
  first.active = 1000;
  second.active = 0;
  expect(pick("a")).toBe(second);
});
