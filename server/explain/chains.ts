import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Check, ConfigRule, ExplainedChain } from "../contract/index.ts";
import type { FilterChain, FilterChainMatch } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { DownstreamTlsContextSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { ChainIndex, type ConnectionFacts, compileChainMatch } from "../sidecar/listener/chain-match.ts";
import { compileRanges } from "../sidecar/text/ip-range.ts";
import { allOk, check, judged, unjudged } from "./checks.ts";
import { type ChosenListener, servedBy } from "./listeners.ts";
import { originOf } from "./origins.ts";
import type { ExplainRequest } from "./request.ts";

export interface JudgedChain extends Omit<ExplainedChain, "origin"> {
  origin: ConfigRule | null;
  chain: FilterChain;
}

/** Every chain of the listener with what of its match holds, and which of them the connection gets: the most specific by Envoy's order of criteria. */
export function judgeChains({ listener, local }: ChosenListener, request: ExplainRequest): JudgedChain[] {
  const facts = factsOf(listener, local, request);
  const taken = findChain(listener, facts);
  const all = listener.defaultFilterChain
    ? [...listener.filterChains, listener.defaultFilterChain]
    : listener.filterChains;
  return all.map((chain, index) => {
    const isDefault = chain === listener.defaultFilterChain;
    const checks = isDefault ? [] : chainChecks(chain.filterChainMatch, facts);
    const { http, tcp } = servedBy(chain);
    return {
      name: chain.name || (isDefault ? "default_filter_chain" : `filter_chains[${index}]`),
      chosen: chain === taken,
      outdone: chain !== taken && allOk(checks) === true,
      checks,
      serves: http ? "http" : tcp ? "tcp" : "nothing",
      tls: downstreamTls(chain),
      origin: originOf(chain.metadata),
      chain,
    };
  });
}

function factsOf(listener: Listener, local: ChosenListener["local"], { tls, kind }: ExplainRequest): ConnectionFacts {
  // Envoy's http_inspector calls plain HTTP so; without it nobody looks. https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/listener_filters/http_inspector
  const inspects = listener.listenerFilters.some(({ name }) => name.endsWith("http_inspector"));
  return {
    localAddress: local.address,
    localPort: local.port,
    serverName: tls?.serverName ?? "",
    transportProtocol: tls ? "tls" : "raw_buffer",
    applicationProtocols: tls ? tls.applicationProtocols : inspects && kind === "http" ? ["http/1.1"] : [],
  };
}

/** As the data plane finds it; chains with a match that it does not know are left out. */
function findChain({ filterChains, defaultFilterChain }: Listener, facts: ConnectionFacts): FilterChain | undefined {
  const known = filterChains.flatMap((chain) => {
    try {
      return [{ match: compileChainMatch(chain.filterChainMatch), chain }];
    } catch {
      return [];
    }
  });
  const usable = known.filter(
    ({ chain }) => !chain.filterChainMatch || unknownFields(chain.filterChainMatch).length === 0,
  );
  try {
    return new ChainIndex(usable).find(facts) ?? defaultFilterChain;
  } catch {
    return defaultFilterChain;
  }
}

function chainChecks(match: FilterChainMatch | undefined, facts: ConnectionFacts): Check[] {
  if (match === undefined) return [];
  const { destinationPort, prefixRanges, serverNames, transportProtocol, applicationProtocols } = match;
  const checks: Check[] = [];
  const oneOf = (subject: Check["subject"], wanted: readonly string[], has: string, ok: boolean) =>
    checks.push(check(subject, { operator: "exact", value: wanted.join(", "), has: has || null, ok }));
  if (destinationPort !== undefined && destinationPort > 0)
    oneOf("destination-port", [String(destinationPort)], String(facts.localPort), destinationPort === facts.localPort);
  if (prefixRanges.length > 0)
    checks.push(
      check("destination-address", {
        operator: "within",
        value: prefixRanges.map(({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen ?? 0}`).join(", "),
        has: facts.localAddress,
        ok: judged(() => compileRanges(prefixRanges)(facts.localAddress)),
      }),
    );
  if (serverNames.length > 0) {
    const covers = (name: string) =>
      name === facts.serverName || (name.startsWith("*.") && facts.serverName.endsWith(name.slice(1)));
    oneOf(
      "server-name",
      serverNames,
      facts.serverName,
      serverNames.some((name) => covers(name.toLowerCase())),
    );
  }
  if (transportProtocol !== "")
    oneOf("transport", [transportProtocol], facts.transportProtocol, transportProtocol === facts.transportProtocol);
  if (applicationProtocols.length > 0) {
    const offered = facts.applicationProtocols;
    oneOf(
      "application-protocol",
      applicationProtocols,
      offered.join(", "),
      applicationProtocols.some((it) => offered.includes(it)),
    );
  }
  return [...checks, ...unknownFields(match).map(unjudged)];
}

/** Criteria of Envoy's that tell sources apart. */
function unknownFields(match: FilterChainMatch): string[] {
  const fields: [string, boolean][] = [
    ["source_type", match.sourceType !== 0],
    ["source_prefix_ranges", match.sourcePrefixRanges.length > 0],
    ["direct_source_prefix_ranges", match.directSourcePrefixRanges.length > 0],
    ["source_ports", match.sourcePorts.length > 0],
  ];
  return fields.flatMap(([field, isSet]) => (isSet ? [field] : []));
}

/** Whether TLS ends at a chain, and whether its clients must show a certificate. */
export function downstreamTls({ transportSocket }: FilterChain): ExplainedChain["tls"] {
  if (transportSocket?.configType.case !== "typedConfig") return "none";
  const context = anyUnpack(transportSocket.configType.value, DownstreamTlsContextSchema);
  if (context === undefined) return "none";
  return context.requireClientCertificate === true ? "mutual" : "simple";
}
