import { expect, it } from "vitest";
import { asPercents, destinationName, readDestinations, sharesOf } from "./destination-weights.ts";

const to = (host: string, subset?: string, weight?: number) => ({
  destination: { host, ...(subset && { subset }) },
  ...(weight !== undefined && { weight }),
});

it("reads canaries by subset and by host, and whatever else is written", () => {
  const subsets = readDestinations([to("reviews", "v1", 90), to("reviews", "v2", 10)]);
  expect(subsets.map((one) => destinationName(one, subsets))).toEqual(["v1", "v2"]);
  const hosts = readDestinations([to("shop.prod.svc.cluster.local", undefined, 90), to("shop-next", "v2", 10)]);
  expect(hosts.map((one) => destinationName(one, hosts))).toEqual(["shop", "shop-next v2"]);
  const namespaces = readDestinations([to("shop.prod.svc.cluster.local"), to("shop.next"), to("shop.next", "v2")]);
  expect(namespaces.map((one) => destinationName(one, namespaces))).toEqual(["shop.prod", "shop.next", "shop.next v2"]);
  expect(readDestinations([null, { destination: 3, weight: "many" }])).toEqual([
    { host: "", subset: undefined, weight: undefined },
    { host: "", subset: undefined, weight: undefined },
  ]);
  expect(readDestinations("nothing")).toEqual([]);
});

it("has a bar for what sums to a hundred, and a sum for what does not", () => {
  const none = new Set<number>();
  expect(sharesOf(readDestinations([to("a")]), none).parts?.map(({ weight }) => weight)).toEqual([100]);
  const two = readDestinations([to("a", "v1", 75), to("a", "v2", 25)]);
  expect(sharesOf(two, new Set([1])).parts?.map(({ weight, locked }) => [weight, locked])).toEqual([
    [75, false],
    [25, true],
  ]);
  const relative = readDestinations([to("a", "v1", 3), to("a", "v2", 1)]);
  expect(sharesOf(relative, none)).toEqual({ parts: null, sum: 4 });
  expect(asPercents(relative)).toEqual([75, 25]);
  expect(asPercents(readDestinations([to("a"), to("b"), to("c")]))).toEqual([34, 33, 33]);
});

it("keeps a version's colour beside other hosts, unless two would have it", () => {
  const coloursOf = (...route: unknown[]) =>
    sharesOf(readDestinations(route), new Set()).parts?.map(({ colouredAs }) => colouredAs);
  expect(coloursOf(to("shop", "v1", 90), to("shop-next", undefined, 10))).toEqual(["v1", undefined]);
  expect(coloursOf(to("shop", "v1", 90), to("shop-next", "v1", 10))).toEqual([undefined, undefined]);
});
