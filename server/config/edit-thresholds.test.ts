import { expect, it } from "vitest";
import { thresholdsIn, withThresholds } from "./edit-thresholds.ts";
import type { ConfigObject } from "./object.ts";

const service = (annotations?: Record<string, string>): ConfigObject =>
  ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "reviews", namespace: "default", ...(annotations && { annotations }) },
    spec: {},
  }) as unknown as ConfigObject;

const wanted = {
  errors: { degraded: 0.001, failing: 0.05 },
  latencyMsP95: { degraded: 250, failing: 1500 },
};

it("writes what is read again", () => {
  const edited = withThresholds(service(), wanted);
  expect(edited.metadata.annotations).toEqual({
    "health.kiali.io/rate": "5XX,0.1,5",
    "health.limpid.dev/latency-p95": "250ms,1.5s",
  });
  expect(thresholdsIn(edited)).toEqual(wanted);
});

it("keeps what the annotation says of others, and all other annotations", () => {
  const before = service({ note: "x", "health.kiali.io/rate": "5XX,1,2;5XX,7,8,http,outbound;4XX,30,50" });
  expect(withThresholds(before, { errors: { degraded: 0, failing: 0.2 } }).metadata.annotations).toEqual({
    note: "x",
    "health.kiali.io/rate": "5XX,0,20;5XX,7,8,http,outbound",
  });
});

it("leaves nothing behind where nothing is said any more", () => {
  const before = service({ "health.kiali.io/rate": "5XX,1,2", "health.limpid.dev/latency-p95": "1s,2s" });
  expect(withThresholds(before, {}).metadata.annotations).toBeUndefined();
});
