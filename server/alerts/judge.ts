import {
  type AlertMeasure,
  type AlertSubject,
  healthCause,
  type ProxyList,
  type ServiceList,
  type ServiceListItem,
  serviceTitle,
} from "../contract/index.ts";
import type { AlertRule, Condition } from "./rules.ts";

type Proxy = ProxyList["proxies"][number];

/** What is known of the mesh now; undefined: it can't be asked. */
export interface Facts {
  /** By window in seconds. */
  services(windowSec: number): ServiceList["services"] | undefined;
  proxies: readonly Proxy[] | undefined;
  now: number;
}

/** Somebody whom a rule is about, and whether the rule is broken there. */
export interface Finding {
  subject: AlertSubject;
  /** Null: it holds. */
  breach: { measure: AlertMeasure; value: number; limit: number } | null;
}

/** Everybody whom the rule is about, with what is found; undefined: nothing can be said now. */
export function judge(rule: AlertRule, facts: Facts): Finding[] | undefined {
  if (rule.when.of === "proxies" || rule.when.of === "certificates") {
    const proxies = facts.proxies?.filter(({ namespace }) => rule.namespace === null || namespace === rule.namespace);
    return proxies?.map((proxy) => ({
      subject: proxySubject(proxy),
      breach: proxyBreach(proxy, rule.when, facts.now),
    }));
  }
  return facts
    .services(rule.windowSec)
    ?.filter((service) => isAbout(rule, service))
    .map((service) => ({ subject: serviceSubject(service), breach: serviceBreach(service, rule.when) }));
}

const isAbout = ({ namespace, service }: AlertRule, it: ServiceListItem): boolean =>
  (namespace === null || it.namespace === namespace) &&
  (service === undefined || service === it.name || service === it.hostname);

const serviceSubject = (service: ServiceListItem): AlertSubject => ({
  kind: "service",
  namespace: service.namespace,
  name: serviceTitle(service),
  id: service.hostname,
});
const proxySubject = ({ namespace, name, id }: Proxy): AlertSubject => ({ kind: "proxy", namespace, name, id });

function serviceBreach({ signals }: ServiceListItem, when: Condition): Finding["breach"] {
  const { requestRate, errorShare } = signals;
  switch (when.of) {
    case "errors": {
      const percent = requestRate === 0 ? 0 : errorShare * 100;
      return percent > when.above ? { measure: "errors", value: percent, limit: when.above } : null;
    }
    case "latency": {
      const value = signals[latencies[when.measure.slice("latency-".length)] ?? "latencyMsP95"];
      return value !== null && value > when.above ? { measure: when.measure, value, limit: when.above } : null;
    }
    case "rate": {
      const { above, below } = when;
      if (above !== undefined && requestRate > above)
        return { measure: "rate-above", value: requestRate, limit: above };
      if (below !== undefined && requestRate < below)
        return { measure: "rate-below", value: requestRate, limit: below };
      return null;
    }
    case "health": {
      const cause = requestRate === 0 ? null : healthCause(signals);
      if (cause === null || (when.atLeast === "Failing" && cause.health !== "failing")) return null;
      const scale = cause.by === "latencyMsP95" ? 1 : 100;
      return { measure: causes[cause.by], value: cause.value * scale, limit: cause.threshold * scale };
    }
    default:
      return null;
  }
}

const latencies: Record<string, "latencyMsP50" | "latencyMsP90" | "latencyMsP95" | "latencyMsP99"> = {
  ...{ p50: "latencyMsP50", p90: "latencyMsP90", p95: "latencyMsP95", p99: "latencyMsP99" },
};
const causes = {
  errors: "health-errors",
  clientErrors: "health-client-errors",
  latencyMsP95: "health-latency",
} as const;

function proxyBreach(proxy: Proxy, when: Condition, now: number): Finding["breach"] {
  if (when.of === "certificates") {
    const ends = proxy.connected ? (proxy.certificate?.notAfterMs ?? null) : null;
    const limit = now + when.endWithinMs;
    return ends !== null && ends < limit ? { measure: "certificate", value: ends, limit: when.endWithinMs } : null;
  }
  if (when.of !== "proxies") return null;
  const types = Object.values(proxy.types);
  if (when.states.includes("Disconnected") && !proxy.connected)
    return { measure: "proxy-disconnected", value: proxy.disconnectedAt ?? 0, limit: 0 };
  if (when.states.includes("Refused") && types.some(({ state }) => state === "ERROR"))
    return { measure: "proxy-refused", value: types.filter(({ state }) => state === "ERROR").length, limit: 0 };
  if (when.states.includes("Lagging") && types.some(({ state }) => state === "STALE"))
    return { measure: "proxy-lagging", value: types.filter(({ state }) => state === "STALE").length, limit: 0 };
  return null;
}
