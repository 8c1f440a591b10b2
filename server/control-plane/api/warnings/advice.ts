import type { DestinationRuleSpec, GatewaySpec, HTTPRoute, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import { isIpAddress } from "../../../config/kinds/names.ts";
import { isHttpProtocol } from "../../../config/kinds/protocol.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { Finding } from "./warning.ts";

// What Istio's own validation warns of in single fields: old names, and what its makers know to go wrong.
// https://github.com/istio/istio/blob/master/pkg/config/validation/validation.go

export function* virtualServiceAdvice({ spec }: ConfigObject): Generator<Finding> {
  const { gateways = [], http = [], tls = [] } = spec as unknown as VirtualServiceSpec;
  for (const [index, name] of gateways.entries()) {
    if (name === "mesh" || name.includes("/") || !name.includes(".")) continue;
    const [gateway, namespace] = name.split(".");
    yield { path: `spec.gateways[${index}]`, message: `is an old form of "${namespace}/${gateway}"` };
  }
  for (const [index, rule] of http.entries()) yield* httpAdvice(`spec.http[${index}]`, rule);
  for (const [rule, { match = [] }] of tls.entries()) {
    for (const [index, { sniHosts = [] }] of match.entries()) {
      for (const [position, name] of sniHosts.entries()) {
        if (!isIpAddress(name)) continue;
        const message = "a client never asks for an address by SNI (RFC 6066, section 3): this matches nothing";
        yield { path: `spec.tls[${rule}].match[${index}].sniHosts[${position}]`, message };
      }
    }
  }
}

/** From where on Istio finds that a direct response burdens the control plane. */
const largeBodyBytes = 100 * 1024;

function* httpAdvice(path: string, rule: HTTPRoute): Generator<Finding> {
  for (const field of ["mirrorPercent", "mirror_percent"] as const) {
    if (rule[field] !== undefined && rule[field] !== null)
      yield { path: `${path}.${field}`, message: "is deprecated: use mirrorPercentage" };
  }
  const { abort, delay } = rule.fault ?? {};
  if (delay?.percent !== undefined)
    yield { path: `${path}.fault.delay.percent`, message: "is deprecated: use percentage" };
  if (delay && delay.fixedDelay === undefined) {
    yield { path: `${path}.fault.delay`, message: "has no fixedDelay, and so delays nothing" };
  } else if (delay && !delay.percentage && delay.percent === undefined) {
    yield { path: `${path}.fault.delay`, message: "has no percentage, and so hits nothing" };
  }
  if (abort && abort.httpStatus === undefined && abort.grpcStatus === undefined) {
    yield { path: `${path}.fault.abort`, message: "has no status, and so aborts nothing" };
  } else if (abort && !abort.percentage) {
    yield { path: `${path}.fault.abort`, message: "has no percentage, and so hits nothing" };
  }
  if (rule.corsPolicy?.allowOrigin?.length)
    yield { path: `${path}.corsPolicy.allowOrigin`, message: "is deprecated: use allowOrigins" };
  const { string = "", bytes = "" } = rule.directResponse?.body ?? {};
  if (string.length + bytes.length > largeBodyBytes) {
    yield {
      path: `${path}.directResponse.body`,
      message: "is large: every proxy holds it, and gets it with every change of the rules",
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
        const message = "is deprecated and has no effect: use consecutiveGatewayErrors or consecutive5xxErrors";
        yield { path: `${at}.outlierDetection.consecutiveErrors`, message };
      }
      for (const field of ["caCertificates", "clientCertificate", "privateKey"] as const) {
        const file = one.tls?.[field];
        if (!file || file.startsWith("/") || file === "system") continue;
        yield {
          path: `${at}.tls.${field}`,
          message: "is relative to the folder that each proxy was started in: an absolute path is safer",
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
        message: `has no effect for protocol ${port.protocol}`,
      };
    }
    for (const [position, host] of hosts.entries()) {
      if (/^(?:[^/]*\/)?\*[^./]/.test(host)) {
        yield {
          path: `spec.servers[${index}].hosts[${position}]`,
          message: `Istio takes "*" for a whole label only, as in "*.example.com"`,
        };
      }
    }
  }
}
