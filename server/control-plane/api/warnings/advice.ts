import type { DestinationRuleSpec, GatewaySpec, HTTPRoute, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import { isIpAddress } from "../../../config/kinds/names.ts";
import { isHttpProtocol } from "../../../config/kinds/protocol.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import type { Finding } from "./warning.ts";

// What Istio's own validation warns of in single fields: old names, and what its makers know to go wrong.
// https://github.com/istio/istio/blob/master/pkg/config/validation/validation.go

export function* virtualServiceAdvice({ spec }: ConfigObject): Generator<Finding> {
  const { gateways = [], http = [], tls = [] } = spec as unknown as VirtualServiceSpec;
  for (const [index, name] of gateways.entries()) {
    if (name === "mesh" || name.includes("/") || !name.includes(".")) continue;
    const [gateway, namespace] = name.split(".");
    yield { path: `spec.gateways[${index}]`, ...told("old-form", { form: `${namespace}/${gateway}` }) };
  }
  for (const [index, rule] of http.entries()) yield* httpAdvice(`spec.http[${index}]`, rule);
  for (const [rule, { match = [] }] of tls.entries()) {
    for (const [index, { sniHosts = [] }] of match.entries()) {
      for (const [position, name] of sniHosts.entries()) {
        if (!isIpAddress(name)) continue;
        yield { path: `spec.tls[${rule}].match[${index}].sniHosts[${position}]`, ...told("sni-address", {}) };
      }
    }
  }
}

/** From where on Istio finds that a direct response burdens the control plane. */
const largeBodyBytes = 100 * 1024;

function* httpAdvice(path: string, rule: HTTPRoute): Generator<Finding> {
  for (const field of ["mirrorPercent", "mirror_percent"] as const) {
    if (rule[field] !== undefined && rule[field] !== null)
      yield { path: `${path}.${field}`, ...told("deprecated-use", { instead: "mirrorPercentage" }) };
  }
  const { abort, delay } = rule.fault ?? {};
  if (delay?.percent !== undefined)
    yield { path: `${path}.fault.delay.percent`, ...told("deprecated-use", { instead: "percentage" }) };
  if (delay && delay.fixedDelay === undefined) {
    yield { path: `${path}.fault.delay`, ...told("delays-nothing", {}) };
  } else if (delay && !delay.percentage && delay.percent === undefined) {
    yield { path: `${path}.fault.delay`, ...told("hits-nothing", {}) };
  }
  if (abort && abort.httpStatus === undefined && abort.grpcStatus === undefined) {
    yield { path: `${path}.fault.abort`, ...told("aborts-nothing", {}) };
  } else if (abort && !abort.percentage) {
    yield { path: `${path}.fault.abort`, ...told("hits-nothing", {}) };
  }
  if (rule.corsPolicy?.allowOrigin?.length)
    yield { path: `${path}.corsPolicy.allowOrigin`, ...told("deprecated-use", { instead: "allowOrigins" }) };
  const { string = "", bytes = "" } = rule.directResponse?.body ?? {};
  if (string.length + bytes.length > largeBodyBytes) {
    yield {
      path: `${path}.directResponse.body`,
      ...told("body-large", {}),
    };
  }
}

export function* destinationRuleAdvice({ spec }: ConfigObject): Generator<Finding> {
  const { trafficPolicy, subsets = [] } = spec as unknown as DestinationRuleSpec;
  const policies = [
    { path: "spec.trafficPolicy", policy: trafficPolicy },
    ...subsets.map((subset, index) => ({ path: `spec.subsets[${index}].trafficPolicy`, policy: subset.trafficPolicy })),
  ];
  for (const { path, policy } of policies) {
    if (policy === undefined) continue;
    const ports = (policy.portLevelSettings ?? []).map((one, index) => ({
      at: `${path}.portLevelSettings[${index}]`,
      one,
    }));
    for (const { at, one } of [{ at: path, one: policy }, ...ports]) {
      if (one.outlierDetection?.consecutiveErrors) {
        const instead = "consecutiveGatewayErrors, consecutive5xxErrors";
        yield { path: `${at}.outlierDetection.consecutiveErrors`, ...told("deprecated-without-effect", { instead }) };
      }
      for (const field of ["caCertificates", "clientCertificate", "privateKey"] as const) {
        const file = one.tls?.[field];
        if (!file || file.startsWith("/") || file === "system") continue;
        yield {
          path: `${at}.tls.${field}`,
          ...told("relative-path", {}),
        };
      }
    }
  }
}

export function* gatewayAdvice({ spec }: ConfigObject): Generator<Finding> {
  for (const [index, { hosts, port, tls }] of (spec as unknown as GatewaySpec).servers.entries()) {
    if (tls?.httpsRedirect && !isHttpProtocol(port.protocol)) {
      yield {
        path: `spec.servers[${index}].tls.httpsRedirect`,
        ...told("no-effect-with", { what: `protocol: ${port.protocol}` }),
      };
    }
    for (const [position, host] of hosts.entries()) {
      if (/^(?:[^/]*\/)?\*[^./]/.test(host)) {
        yield {
          path: `spec.servers[${index}].hosts[${position}]`,
          ...told("star-label", {}),
        };
      }
    }
  }
}
