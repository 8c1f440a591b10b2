import { afterEach, describe, expect, it } from "vitest";
import type { OutlierDetection } from "../../gen/proto/envoy/config/cluster/v3/outlier_detection_pb.js";
import { Stats } from "../stats.ts";
import { clusterFrom } from "../test-plane.ts";
import type { Endpoint } from "./endpoint.ts";
import { HealthFlag } from "./health-flags.ts";
import { OutlierDetector } from "./outlier.ts";
import { compileOutlier, type OutlierConfig } from "./outlier-config.ts";
import { testEndpoint } from "./testing/endpoint.ts";

const detectors: OutlierDetector[] = [];
afterEach(() => {
  for (const detector of detectors.splice(0)) detector.close();
});

const proto = (fields: Record<string, unknown>): OutlierDetection | undefined =>
  clusterFrom({ name: "c", outlier_detection: { max_ejection_percent: 100, ...fields } } as never).outlierDetection;

function detecting(fields: Record<string, unknown>, hosts = 5, random = () => 0) {
  const endpoints = Array.from({ length: hosts }, (_, i) => testEndpoint(i + 1));
  const stats = new Stats();
  const clock = { now: 0 };
  const detector = new OutlierDetector(
    compileOutlier(proto(fields)) as OutlierConfig,
    () => endpoints,
    () => {},
    { stats, prefix: "cluster.c.", now: () => clock.now, random },
  );
  detectors.push(detector);
  return {
    detector,
    clock,
    endpoint: (index: number) => endpoints[index] as Endpoint,
    ejected: () => endpoints.flatMap(({ config, health }) => (health.healthy ? [] : [config.port])),
    count: (name: string) => stats.counters.get(`cluster.c.outlier_detection.${name}`)?.value ?? 0,
    answers: (index: number, statuses: number[]) => {
      for (const status of statuses) detector.onResponse(endpoints[index] as Endpoint, status);
    },
  };
}

const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

describe("errors in a row", () => {
  it("any 5xx, unless another answer comes between", () => {
    const test = detecting({ consecutive_5xx: 3 });
    test.answers(0, [500, 503, 200, 500, 501]);
    expect(test.ejected()).toEqual([]);
    test.answers(0, [500]);
    expect(test.ejected()).toEqual([1]);
    expect(test.count("ejections_enforced_consecutive_5xx")).toBe(1);
    expect(test.count("ejections_enforced_total")).toBe(1);
  });

  it("gateway errors only where they are enforced, and other 5xx between them count anew", () => {
    const off = detecting({ consecutive_5xx: 0, consecutive_gateway_failure: 2 });
    off.answers(0, [503, 503]);
    expect(off.ejected()).toEqual([]);
    expect(off.count("ejections_detected_consecutive_gateway_failure")).toBe(1);
    const on = detecting({
      consecutive_5xx: 0,
      consecutive_gateway_failure: 2,
      enforcing_consecutive_gateway_failure: 100,
    });
    on.answers(0, [502, 500, 504]);
    expect(on.ejected()).toEqual([]);
    on.answers(0, [503]);
    expect(on.ejected()).toEqual([1]);
  });

  it("failures to reach it are 503s, unless they are split off", () => {
    const joined = detecting({ consecutive_5xx: 2 });
    joined.detector.onLocalFailure(joined.endpoint(0));
    joined.answers(0, [500]);
    expect(joined.ejected()).toEqual([1]);
    const split = detecting({
      consecutive_5xx: 2,
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 2,
    });
    split.detector.onLocalFailure(split.endpoint(0));
    split.answers(0, [500]);
    split.detector.onLocalSuccess(split.endpoint(0));
    split.detector.onLocalFailure(split.endpoint(0));
    expect(split.ejected()).toEqual([]);
    split.detector.onLocalFailure(split.endpoint(0));
    expect(split.count("ejections_enforced_consecutive_local_origin_failure")).toBe(1);
  });

  it("enforces as often as it is told to", () => {
    const test = detecting({ consecutive_5xx: 1, enforcing_consecutive_5xx: 30 }, 5, () => 0.3);
    test.answers(0, [500]);
    expect(test.ejected()).toEqual([]);
    expect(test.count("ejections_detected_consecutive_5xx")).toBe(1);
    const other = detecting({ consecutive_5xx: 1, enforcing_consecutive_5xx: 31 }, 5, () => 0.3);
    other.answers(0, [500]);
    expect(other.ejected()).toEqual([1]);
  });
});

describe("rates of an interval", () => {
  const rates = { consecutive_5xx: 0, success_rate_request_volume: 10, failure_percentage_request_volume: 10 };

  it("success: the example of Envoy's own comment", () => {
    const test = detecting({ ...rates, success_rate_stdev_factor: 1900 });
    test.answers(0, [...times(5, 500), ...times(5, 200)]);
    for (const index of [1, 2, 3, 4]) test.answers(index, times(10, 200));
    test.detector.sweep();
    // 50, 100, 100, 100, 100: mean 90, deviation 20.
    expect(test.detector.external).toEqual({ average: 90, threshold: 52 });
    expect(test.ejected()).toEqual([1]);
    expect(test.endpoint(0).outlier.external.rate).toBe(50);
    test.detector.sweep();
    expect(test.endpoint(1).outlier.external.rate).toBe(-1);
  });

  it.each([
    ["too few hosts", { success_rate_minimum_hosts: 6 }],
    ["too few requests", { success_rate_request_volume: 11 }],
    ["not enforced", { enforcing_success_rate: 0 }],
    ["too wide a factor", { success_rate_stdev_factor: 2100 }],
  ])("success: %s", (_, fields) => {
    const test = detecting({ ...rates, ...fields });
    test.answers(0, [...times(5, 500), ...times(5, 200)]);
    for (const index of [1, 2, 3, 4]) test.answers(index, times(10, 200));
    test.detector.sweep();
    expect(test.ejected()).toEqual([]);
  });

  it("failure percentage: whatever the others do", () => {
    const fields = { ...rates, enforcing_success_rate: 0, enforcing_failure_percentage: 100 };
    const test = detecting({ ...fields, failure_percentage_threshold: 60 });
    for (const index of [0, 1]) test.answers(index, [...times(6, 500), ...times(4, 200)]);
    for (const index of [2, 3]) test.answers(index, [...times(5, 500), ...times(5, 200)]);
    test.answers(4, times(10, 200));
    test.detector.sweep();
    expect(test.ejected()).toEqual([1, 2]);
    expect(test.count("ejections_enforced_failure_percentage")).toBe(2);
  });

  it("connections have rates of their own where they are split off", () => {
    const test = detecting({
      ...rates,
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: 0,
      enforcing_failure_percentage_local_origin: 100,
      failure_percentage_threshold: 50,
    });
    for (let host = 0; host < 5; host++) {
      for (let i = 0; i < 10; i++) {
        if (host === 4 && i < 8) test.detector.onLocalFailure(test.endpoint(host));
        else test.detector.onLocalSuccess(test.endpoint(host));
      }
    }
    test.detector.sweep();
    expect(test.ejected()).toEqual([5]);
    expect(test.count("ejections_detected_local_origin_success_rate")).toBe(1);
    expect(test.detector.local.average).toBe(84);
  });
});

describe("ejections", () => {
  it("last longer each time, up to a limit, and less long again after quiet intervals", () => {
    const test = detecting({
      consecutive_5xx: 1,
      interval: "1s",
      base_ejection_time: "10s",
      max_ejection_time: "25s",
    });
    const ejectedFor = (): number => {
      test.answers(0, [500]);
      const from = test.clock.now;
      while (test.ejected().length > 0) {
        test.clock.now += 1000;
        test.detector.sweep();
      }
      return (test.clock.now - from) / 1000;
    };
    expect([ejectedFor(), ejectedFor(), ejectedFor(), ejectedFor()]).toEqual([10, 20, 25, 25]);
    for (let i = 0; i < 2; i++) {
      test.clock.now += 1000;
      test.detector.sweep();
    }
    // Two quiet intervals take two of four off, and the ejection adds one.
    expect(ejectedFor()).toBe(25);
    for (let i = 0; i < 10; i++) {
      test.clock.now += 1000;
      test.detector.sweep();
    }
    expect(ejectedFor()).toBe(10);
  });

  it("are spread by jitter", () => {
    const test = detecting(
      { consecutive_5xx: 1, base_ejection_time: "10s", max_ejection_time_jitter: "4s" },
      5,
      () => 0.5,
    );
    test.answers(0, [500]);
    test.clock.now = 11_999;
    test.detector.sweep();
    expect(test.ejected()).toEqual([1]);
    test.clock.now = 12_000;
    test.detector.sweep();
    expect(test.ejected()).toEqual([]);
  });

  it("never take more than the share allowed, but one where one may always go", () => {
    const none = detecting({ consecutive_5xx: 1, max_ejection_percent: 10 });
    none.answers(0, [500]);
    expect(none.ejected()).toEqual([]);
    expect(none.count("ejections_overflow")).toBe(1);
    const one = detecting({ consecutive_5xx: 1, max_ejection_percent: 10, always_eject_one_host: true });
    one.answers(0, [500]);
    one.answers(1, [500]);
    expect(one.ejected()).toEqual([1]);
    const two = detecting({ consecutive_5xx: 1, max_ejection_percent: 40 });
    for (const index of [0, 1, 2]) two.answers(index, [500]);
    expect(two.ejected()).toEqual([1, 2]);
  });

  it("end with an active check that passes, unless they are told not to", () => {
    const test = detecting({ consecutive_5xx: 1 });
    test.answers(0, [500]);
    test.endpoint(0).health.set(HealthFlag.failedActiveCheck);
    test.detector.onCheckPassed(test.endpoint(0));
    expect(test.endpoint(0).health.has(HealthFlag.failedOutlierCheck)).toBe(true);
    test.endpoint(0).health.clear(HealthFlag.failedActiveCheck);
    test.detector.onCheckPassed(test.endpoint(0));
    expect(test.ejected()).toEqual([]);
    const stubborn = detecting({ consecutive_5xx: 1, successful_active_health_check_uneject_host: false });
    stubborn.answers(0, [500]);
    stubborn.detector.onCheckPassed(stubborn.endpoint(0));
    expect(stubborn.ejected()).toEqual([1]);
  });
});

it("a longest ejection below the shortest is refused", () => {
  const config = proto({ base_ejection_time: "10s", max_ejection_time: "5s" });
  expect(() => compileOutlier(config)).toThrow("outlier_detection.max_ejection_time: must not be less");
});
