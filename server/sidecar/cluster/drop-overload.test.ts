import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { shortFlags } from "../response-flags.ts";
import { Runtime, runtimeValues } from "../runtime.ts";
import { clusterFrom, Fixtures, staticCluster, toCluster } from "../test-plane.ts";

// Bodies, fields, flags and details are those of a real Envoy 1.40, asked by hand.

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const dropping = (port: number, ...shares: JsonObject[]): JsonObject => {
  const cluster = staticCluster("up", [port]);
  const drop_overloads = shares.map((drop_percentage) => ({ category: "throttle", drop_percentage }));
  return { ...cluster, load_assignment: { ...(cluster.load_assignment as JsonObject), policy: { drop_overloads } } };
};

async function setUp(share: JsonObject, layer: object = {}, random = 0.39) {
  const up = await fixtures.http((_, response) => void response.end("ok"));
  const runtime = new Runtime();
  runtime.setLayer("static", runtimeValues(layer));
  const clusters = [dropping(up, share)];
  return fixtures.plane({ clusters, routes: [toCluster("up")], runtime, random: () => random });
}

const limit = (percent: number) => ({ "load_balancing_policy.drop_overload_limit": percent });

describe("drop_overloads", () => {
  it.each<[JsonObject, object, number, string]>([
    [{ numerator: 40 }, {}, 0.39, "503 drop overload x-envoy-drop-overload DO drop_overload"],
    [{ numerator: 40 }, {}, 0.4, "200 ok - via_upstream"],
    [
      { numerator: 4, denominator: "TEN_THOUSAND" },
      {},
      0.0003,
      "503 drop overload x-envoy-drop-overload DO drop_overload",
    ],
    [
      { numerator: 100 },
      {},
      0.999,
      "503 unconditional drop overload x-envoy-unconditional-drop-overload UDO unconditional_drop_overload",
    ],
    // An operator may lower the share, and not raise it.
    [{ numerator: 40 }, limit(0), 0, "200 ok - via_upstream"],
    [{ numerator: 40 }, limit(80), 0.4, "200 ok - via_upstream"],
    [{ numerator: 100 }, limit(50), 0.49, "503 drop overload x-envoy-drop-overload DO drop_overload"],
    [{ numerator: 100 }, limit(50), 0.5, "200 ok - via_upstream"],
  ])("%j with %j at %d", async (share, layer, random, expected) => {
    const test = await setUp(share, layer, random);
    const response = await fetch(`http://127.0.0.1:${test.port}/`);
    const told = [...response.headers.keys()].filter((name) => name.endsWith("-overload"));
    const { responseFlags, responseCodeDetails } = test.lastRecord;
    const seen = [response.status, await response.text(), ...told, shortFlags(responseFlags), responseCodeDetails];
    expect(seen.join(" ")).toBe(expected);
    if (response.status === 503) {
      expect(test.counter("cluster.up.upstream_rq_503")).toBe(1);
      expect(test.counter("cluster.up.upstream_rq_total")).toBe(0);
    }
  });

  it("has one category at the most, and no more than all", async () => {
    const test = await fixtures.plane({ routes: [] });
    const refused = (...shares: JsonObject[]) => test.plane.setCluster(clusterFrom(dropping(1, ...shares)));
    expect(refused({ numerator: 1 }, { numerator: 2 })).toEqual([
      expect.stringContaining("policy.drop_overloads: at most one is supported, not 2"),
    ]);
    expect(refused({ numerator: 101 })).toEqual([
      expect.stringContaining("policy.drop_overloads[0].drop_percentage: more than all"),
    ]);
  });
});
