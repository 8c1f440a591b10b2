import type { ConfigObject } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { resolveHost } from "../../../model/hostname.ts";
import {
  type ExtensionProvider,
  type MeshConfigSpec,
  ownProvider,
  providersOf,
  type TelemetrySignal,
  type TelemetrySpec,
} from "../../../model/specs.ts";
import { isForEnvoys } from "../../../translate/telemetry.ts";
import { constantOf } from "../../../wire/metric-rules.ts";
import { nearby } from "./destinations.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** What a Telemetry says and nothing comes of. */
export function* doubtfulTelemetry({ spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const { tracing = [], metrics = [], accessLogging = [] } = spec as TelemetrySpec;
  for (const [index, rule] of tracing.entries()) {
    const path = `spec.tracing[${index}]`;
    yield* doubtfulProviders(rule, "tracing", path, facts);
    if ((rule.providers ?? []).length > 1) yield { path: `${path}.providers[1]`, ...told("first-provider", {}) };
    const [first] = rule.providers ?? [];
    const provider = first && providerNamed(facts, first.name);
    if (first === undefined || provider === undefined || !isFor(provider, "tracing")) continue;
    const where = { path: `${path}.providers[0].name` };
    const { name } = first;
    yield {
      ...where,
      ...(isForEnvoys(provider) ? told("provider-envoys", { name }) : told("traces-elsewhere", { name })),
    };
  }
  for (const [index, rule] of accessLogging.entries())
    yield* doubtfulProviders(rule, "accessLogging", `spec.accessLogging[${index}]`, facts);
  for (const [index, rule] of metrics.entries()) {
    const path = `spec.metrics[${index}]`;
    yield* doubtfulProviders(rule, "metrics", path, facts);
    if (rule.reportingInterval !== undefined)
      yield { path: `${path}.reportingInterval`, ...told("reported-at-end", {}) };
    for (const [at, { match, tagOverrides = {} }] of (rule.overrides ?? []).entries()) {
      for (const [tag, { operation, value = "" }] of Object.entries(tagOverrides)) {
        if (operation === "REMOVE" || constantOf(value) !== undefined) continue;
        yield { path: `${path}.overrides[${at}].tagOverrides.${tag}.value`, ...told("label-by-request", { tag }) };
      }
      const { customMetric, metric = "" } = match ?? {};
      const uncounted = customMetric ?? (metric.startsWith("GRPC_") ? metric : undefined);
      if (uncounted === undefined) continue;
      const field = customMetric === undefined ? "metric" : "customMetric";
      yield { path: `${path}.overrides[${at}].match.${field}`, ...told("metric-uncounted", { metric: uncounted }) };
    }
  }
}

const providerNamed = ({ mesh }: Facts, name: string): ExtensionProvider | undefined =>
  mesh.settings.telemetryProviders.get(name.toLowerCase());

const isFor = (provider: ExtensionProvider, signal: TelemetrySignal): boolean =>
  providersOf[signal].some((kind) => provider[kind] !== undefined);

function* doubtfulProviders(
  { providers = [] }: { providers?: { name: string }[] | undefined },
  signal: TelemetrySignal,
  path: string,
  facts: Facts,
): Generator<Finding> {
  for (const [index, { name }] of providers.entries()) {
    const at = `${path}.providers[${index}].name`;
    const isOwn = name.toLowerCase() === ownProvider;
    if (isOwn && signal === "tracing") continue;
    // The mesh's own log and metrics are there without being named.
    if (isOwn) {
      yield { path: at, ...told("own-provider", { name }) };
      continue;
    }
    const provider = providerNamed(facts, name);
    if (provider !== undefined && isFor(provider, signal)) continue;
    const known = [...facts.mesh.settings.telemetryProviders.values()]
      .filter((one) => isFor(one, signal))
      .map((one) => one.name);
    yield {
      path: at,
      ...(known.length > 0
        ? told("telemetry-provider-known", { name, signal, known: known.slice(0, 5).join(", ") })
        : told("telemetry-provider", { name, signal })),
    };
  }
}

/** Providers of a MeshConfig to whom nothing can be sent as things are. */
export function* silentProviders({ spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const { extensionProviders = [] } = spec as MeshConfigSpec;
  const { rootNamespace, domain } = facts.mesh.options;
  for (const [index, provider] of extensionProviders.entries()) {
    for (const field of ["zipkin", "opentelemetry", "envoyHttpAls", "envoyTcpAls", "envoyOtelAls"] as const) {
      const { service, port } = provider[field] ?? {};
      if (service === undefined) continue;
      const path = `spec.extensionProviders[${index}].${field}`;
      const slash = service.indexOf("/");
      const host = resolveHost(service.slice(slash + 1), slash < 0 ? rootNamespace : service.slice(0, slash), domain);
      const found = facts.anywhere(host);
      if (found.length > 0) {
        if (!found.some(({ ports }) => ports.some((one) => one.port === port)))
          yield { path: `${path}.port`, ...told("telemetry-port", { host, port: String(port) }) };
        continue;
      }
      const near = nearby(host, facts);
      yield {
        path: `${path}.service`,
        ...(near === undefined ? told("telemetry-host", { host }) : told("telemetry-host-near", { host, near })),
      };
    }
  }
}
