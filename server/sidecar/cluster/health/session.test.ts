import { afterEach, describe, expect, it } from "vitest";
import { Timers } from "../../../lib/timers.ts";
import { Stats } from "../../stats.ts";
import { clusterFrom } from "../../test-plane.ts";
import { HealthFlag } from "../health-flags.ts";
import { testEndpoint } from "../testing/endpoint.ts";
import { compileHealthChecks, type HealthCheckConfig } from "./check-config.ts";
import { CheckEvents } from "./check-events.ts";
import { CheckStats } from "./check-stats.ts";
import { type CheckFailure, type CheckResult, CheckSession, type FailedCheck } from "./session.ts";

const timers = new Timers();
afterEach(() => timers.stop());

const check = (fields: Record<string, unknown> = {}): HealthCheckConfig => {
  const json = { timeout: "1s", interval: "10s", unhealthy_threshold: 2, healthy_threshold: 2, ...fields };
  const probe = { http_health_check: { path: "/" }, ...json };
  return compileHealthChecks(
    clusterFrom({ name: "c", health_checks: [probe] } as never).healthChecks,
    false,
  ) as HealthCheckConfig;
};

function session(fields: Record<string, unknown> = {}, { traffic = true, random = (): number => 0, flags = 0 } = {}) {
  const endpoint = testEndpoint(1);
  endpoint.health.flags = flags;
  const stats = new Stats();
  const changes: boolean[] = [];
  const config = check(fields);
  const lines: Record<string, unknown>[] = [];
  const logs = { lines: () => (line: string) => void lines.push(JSON.parse(line)), now: () => 1_794_999_645_123 };
  const io = {
    timers,
    now: () => 7,
    random,
    stats: new CheckStats(stats, "cluster.c."),
    events: new CheckEvents(config, "c", logs),
    hasTraffic: () => traffic,
    onChecked: (_: unknown, __: boolean, changed: boolean) => void changes.push(changed),
  };
  const idle = { start: () => {}, abort: () => {}, close: () => {} };
  const tested = new CheckSession(endpoint, config, io, () => idle);
  const count = (name: string) => stats.counters.get(`cluster.c.health_check.${name}`)?.value ?? 0;
  const gauge = (name: string) => stats.gauges.get(`cluster.c.health_check.${name}`)?.value ?? 0;
  const events = () => lines.splice(0).map(eventOf);
  return { endpoint, tested, changes, count, gauge, lines, events };
}

/** What a line says, without whom it is about. */
function eventOf({ timestamp, host, locality, cluster_name, health_checker_type, ...event }: Record<string, unknown>) {
  return event;
}

const pass: CheckResult = { passed: true, degraded: false };
const fail = (failure: CheckFailure, retriable = false): FailedCheck => ({
  passed: false,
  failure,
  retriable,
});
const fresh = HealthFlag.failedActiveCheck | HealthFlag.pendingActiveCheck;

describe("what comes of results", () => {
  it("the first counts at once, and later ones by threshold", () => {
    const { endpoint, tested, gauge, changes } = session({}, { flags: fresh });
    tested.onResult(pass);
    expect(endpoint.health.flags).toBe(0);
    expect(endpoint.healthySince).toBe(7);
    expect(gauge("healthy")).toBe(1);
    tested.onResult(fail("network"));
    expect(endpoint.health.healthy).toBe(true);
    tested.onResult(fail("network"));
    expect(endpoint.health.healthy).toBe(false);
    tested.onResult(pass);
    expect(endpoint.health.healthy).toBe(false);
    tested.onResult(pass);
    expect(endpoint.health.healthy).toBe(true);
    expect(changes).toEqual([true, false, true, false, true]);
    tested.close();
    expect(gauge("healthy")).toBe(0);
  });

  it("one that answers that it is not well is taken at its word, unless that may be asked again", () => {
    const { endpoint, tested } = session();
    tested.onResult(fail("active", true));
    expect(endpoint.health.healthy).toBe(true);
    tested.onResult(fail("active"));
    expect(endpoint.health.healthy).toBe(false);
  });

  it("successes between failures begin the count anew", () => {
    const { endpoint, tested } = session();
    for (const result of [fail("network"), pass, fail("network"), pass, fail("timeout")]) tested.onResult(result);
    expect(endpoint.health.healthy).toBe(true);
  });

  it("a timeout has a flag of its own while the host has failed", () => {
    const { endpoint, tested, count } = session();
    tested.onResult(fail("timeout"));
    expect(endpoint.health.has(HealthFlag.activeCheckTimeout)).toBe(false);
    tested.onResult(fail("timeout"));
    expect(endpoint.health.has(HealthFlag.activeCheckTimeout)).toBe(true);
    tested.onResult(fail("network"));
    expect(endpoint.health.has(HealthFlag.activeCheckTimeout)).toBe(false);
    expect([count("failure"), count("network_failure")]).toEqual([3, 3]);
  });

  it("a host may be degraded, and may fail by what it says with a response", () => {
    const { endpoint, tested, count, gauge } = session();
    tested.onResult({ passed: true, degraded: true });
    expect(endpoint.health.degraded).toBe(true);
    expect(gauge("degraded")).toBe(1);
    tested.failAtOnce();
    expect(endpoint.health.excluded).toBe(true);
    expect(endpoint.health.healthy).toBe(false);
    expect(count("passive_failure")).toBe(1);
    tested.onResult(pass);
    tested.onResult(pass);
    expect(endpoint.health.flags).toBe(0);
  });
});

describe("when the next check is due", () => {
  const intervals = {
    interval: "10s",
    unhealthy_interval: "2s",
    unhealthy_edge_interval: "1s",
    healthy_edge_interval: "3s",
    no_traffic_interval: "20s",
    no_traffic_healthy_interval: "30s",
  };
  it.each<[boolean, "none" | "pending" | "changed", boolean, number]>([
    [true, "none", true, 10_000],
    [true, "changed", true, 10_000],
    [true, "pending", true, 3000],
    [false, "none", true, 2000],
    [false, "pending", true, 1000],
    [true, "none", false, 30_000],
    [true, "pending", false, 20_000],
    [false, "changed", false, 20_000],
  ])("passed %s, transition %s, traffic %s: %d ms", (passed, transition, traffic, ms) => {
    expect(session(intervals, { traffic }).tested.nextMs(passed, transition)).toBe(ms);
  });

  it("what is not said is what is said of more", () => {
    const { tested } = session({ unhealthy_interval: "2s" });
    expect(tested.nextMs(false, "pending")).toBe(2000);
    expect(tested.nextMs(true, "pending")).toBe(10_000);
    expect(session({}, { traffic: false }).tested.nextMs(true, "none")).toBe(60_000);
  });

  it("jitter is added, as time and as a share", () => {
    const fields = { interval_jitter: "1s", interval_jitter_percent: 50 };
    expect(session(fields, { random: () => 0.5 }).tested.nextMs(true, "none")).toBe(13_000);
    const percents = Array.from({ length: 500 }, () =>
      session({ interval_jitter_percent: 10 }, { random: Math.random }).tested.nextMs(true, "none"),
    );
    expect(Math.min(...percents)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...percents)).toBeLessThan(11_000);
    // Uniform: the mean of 500 is within 5 standard deviations (289 / √500 = 12.9) of the middle.
    const mean = percents.reduce((sum, ms) => sum + ms, 0) / percents.length;
    expect(Math.abs(mean - 10_500)).toBeLessThan(65);
  });
});

it.each<[string, Record<string, unknown>, string]>([
  ["no timeout", { timeout: undefined }, "health_checks[0].timeout: required, and more than 0"],
  ["no threshold", { healthy_threshold: undefined }, "health_checks[0].healthy_threshold: required"],
  ["no path", { http_health_check: {} }, "health_checks[0].http_health_check.path: required"],
  [
    "a range that is none",
    { http_health_check: { path: "/", expected_statuses: [{ start: "200", end: "200" }] } },
    "health_checks[0].http_health_check.expected_statuses[0]: must begin at 100",
  ],
  [
    "a body for GET",
    { http_health_check: { path: "/", send: { text: "00" } } },
    "health_checks[0].http_health_check.send: a GET request has no body",
  ],
  [
    "text that is no hexadecimal",
    { http_health_check: undefined, tcp_health_check: { send: { text: "hello" } } },
    "health_checks[0].tcp_health_check.send.text: must be pairs of hexadecimal digits, not hello",
  ],
  [
    "gRPC on a cluster of HTTP/1",
    { http_health_check: undefined, grpc_health_check: {} },
    "health_checks[0].grpc_health_check: needs a cluster that speaks HTTP/2",
  ],
])("refuses %s", (_, fields, error) => {
  const given = Object.fromEntries(
    Object.entries({
      timeout: "1s",
      interval: "1s",
      unhealthy_threshold: 1,
      healthy_threshold: 1,
      http_health_check: { path: "/" },
      ...fields,
    }).filter(([, value]) => value !== undefined),
  );
  const { healthChecks } = clusterFrom({ name: "c", health_checks: [given] } as never);
  expect(() => compileHealthChecks(healthChecks, false)).toThrow(error);
});

describe("the log of checks", () => {
  const logged = { event_logger: [fileSink("/tmp/a"), fileSink("/tmp/b")] };

  it("tells each file of what changes, and of a first failure", () => {
    const { tested, events, lines } = session(logged, { flags: fresh });
    tested.onResult(fail("network"));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toEqual({
      health_checker_type: "HTTP",
      host: {
        socket_address: expect.objectContaining({ address: expect.any(String), port_value: expect.any(Number) }),
      },
      cluster_name: "c",
      health_check_failure_event: { failure_type: "NETWORK", first_check: true, http_status_code: 0 },
      timestamp: "2026-11-18T11:00:45.123Z",
      locality: { region: "", zone: "", sub_zone: "" },
    });
    events();
    tested.onResult(pass);
    expect(events()).toEqual([]);
    tested.onResult(pass);
    expect(events()[0]).toEqual({ add_healthy_event: { first_check: false } });
    tested.onResult({ passed: true, degraded: true });
    expect(events()[0]).toEqual({ degraded_healthy_host: {} });
    tested.onResult(pass);
    expect(events()[0]).toEqual({ no_longer_degraded_host: {} });
    tested.onResult({ ...fail("active"), status: 503 });
    expect(events()[0]).toEqual({ eject_unhealthy_event: { failure_type: "ACTIVE", http_status_code: 503 } });
    tested.onResult(fail("timeout"));
    expect(events()).toEqual([]);
  });

  it("tells of every result when asked to", () => {
    const every = { always_log_health_check_failures: true, always_log_health_check_success: true };
    const { tested, events } = session({ event_log_path: "/tmp/a", ...every }, { flags: fresh });
    tested.onResult(pass);
    expect(events()).toEqual([{ add_healthy_event: { first_check: true } }]);
    tested.onResult(pass);
    expect(events()).toEqual([{ successful_health_check_event: {} }]);
    tested.onResult(fail("timeout"));
    expect(events()).toEqual([
      { health_check_failure_event: { failure_type: "NETWORK_TIMEOUT", first_check: false, http_status_code: 0 } },
    ]);
    tested.failAtOnce();
    expect(events()).toEqual([
      { eject_unhealthy_event: { failure_type: "PASSIVE", http_status_code: 0 } },
      { health_check_failure_event: { failure_type: "PASSIVE", first_check: false, http_status_code: 0 } },
    ]);
  });

  it("needs a path, and a sink that is known", () => {
    expect(() => check({ event_logger: [fileSink("")] })).toThrow(
      "event_logger[0].typed_config.event_log_path: required",
    );
    expect(() => check({ event_logger: [{ name: "x" }] })).toThrow("event_logger[0].typed_config: must be a");
  });
});

function fileSink(event_log_path: string) {
  return {
    name: "file",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
      event_log_path,
    },
  };
}
