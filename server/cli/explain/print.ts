import type {
  ExplainedCluster,
  ExplainedDestination,
  ExplainedFilter,
  ExplainedForward,
  ExplainedRoute,
  ExplainedSide,
  Explanation,
} from "../../contract/index.ts";
import { checkWords, endWords, listenerWords, mark, originWords } from "./words.ts";

/** The walk as indented lines, for people. */
export function explanationText({ request, source, destinations }: Explanation): string {
  const title = `${request.method} ${request.url} from ${source.proxy.namespace}/${source.proxy.name}`;
  const lines = [title, ...request.headers.map((header) => `  ${header}`), "", ...sideLines(source)];
  for (const destination of destinations) lines.push("", ...destinationLines(destination));
  return `${lines.map(printable).join("\n")}\n`;
}

function sideLines(side: ExplainedSide): string[] {
  const { proxy, listener, virtualHost, routeConfiguration, end } = side;
  return [
    `${side.direction === "outbound" ? "OUT" : "IN "} ${proxy.name}.${proxy.namespace}${proxy.implementation ? ` (${proxy.implementation})` : ""}: ${endWords(end)}`,
    ...(listener ? [`  listener      ${listener.name} (${listener.address}), ${listenerWords[listener.by]}`] : []),
    ...chainLines(side),
    ...(routeConfiguration ? [`  routes        ${routeConfiguration}`] : []),
    ...(virtualHost ? [`  virtual host  ${virtualHost.name}, by ${virtualHost.domain} (of ${virtualHost.among})`] : []),
    ...side.routes.flatMap(routeLines),
    ...side.filters.flatMap(filterLines),
    ...(side.forward ? forwardLines(side.forward) : []),
    ...side.clusters.flatMap(clusterLines),
  ];
}

const chainLines = ({ chains }: ExplainedSide): string[] =>
  chains.flatMap((chain) => {
    const why = chain.chosen ? "" : chain.outdone ? ": another matches more specifically" : "";
    const tls = chain.tls === "none" ? "" : `, ends ${chain.tls === "mutual" ? "mutual TLS" : "TLS"}`;
    return [
      `  ${mark(chain.chosen)} chain       ${chain.name}${tls}${why}${chain.origin ? `  ${originWords(chain.origin)}` : ""}`,
      ...chain.checks.map((check) => `      ${mark(check.ok)} ${checkWords(check)}${has(check.has)}`),
    ];
  });

function routeLines(route: ExplainedRoute): string[] {
  const sign = { taken: "✓", passed: "✗", "not-reached": "·", unknown: "?" }[route.verdict];
  const target =
    route.does === "redirect" ? `redirect to ${route.to}` : route.does === "answer" ? `answer ${route.to}` : route.to;
  const share = route.verdict === "taken" && route.share < 1 ? ` for ${percent(route.share)}` : "";
  const head = `  ${sign} route ${String(route.index + 1).padEnd(6)}${route.name || "(no name)"} → ${target}${share}`;
  const origin = route.origin ? [`      ${originWords(route.origin)}`] : [];
  if (route.verdict === "not-reached") return [`${head}  (not reached)`, ...origin];
  return [
    head,
    ...origin,
    ...route.checks.map((check) => `      ${mark(check.ok)} ${checkWords(check)}${has(check.has)}`),
  ];
}

function filterLines({ name, kind, rbac, jwt, fault }: ExplainedFilter): string[] {
  if (rbac) {
    const verdict = rbac.allowed === null ? "can't be told" : rbac.allowed ? "lets it pass" : "refuses it";
    return [
      `  ${mark(rbac.allowed)} ${rbac.action}${rbac.trial ? " (on trial)" : ""} policies: ${verdict}`,
      ...rbac.policies.flatMap((policy) => [
        `      ${policy.matched === null ? "?" : policy.matched ? "=" : "≠"} ${policy.origin ? originWords(policy.origin) : policy.name}`,
        ...[...policy.who, ...policy.what]
          .filter(({ operator }) => operator !== "any")
          .map((check) => `          ${mark(check.ok)} ${checkWords(check)}${has(check.has)}`),
      ]),
    ];
  }
  if (kind === "unjudged" || kind === "rate-limit")
    return [`  ? filter      ${name} may answer by itself; that is not judged here`];
  if (jwt) {
    const words = jwt.ok ? (jwt.why === "" ? "is taken" : "need not be there") : `is refused: ${jwt.why}`;
    return [
      `  ${mark(jwt.ok)} token       ${words}${jwt.issuer ? ` (of ${jwt.issuer})` : ""}; taken are those of ${jwt.issuers.join(", ")}`,
    ];
  }
  if (!fault) return [];
  const { delayMs, delayShare, abortStatus, abortShare, applies } = fault;
  const parts = [
    delayShare > 0 ? `${percent(delayShare)} wait ${delayMs} ms` : "",
    abortShare > 0 ? `${percent(abortShare)} answer ${abortStatus}` : "",
  ].filter(Boolean);
  return [`  fault         ${parts.join(", ")}${applies ? "" : " (not for this request)"}  ${name}`];
}

function forwardLines({
  timeoutMs,
  retry,
  mirrors,
  path,
  authority,
  hashedBy,
  requestHeaders,
}: ExplainedForward): string[] {
  const line = (name: string, text: string) => `  ${name.padEnd(13)} ${text}`;
  return [
    line("timeout", timeoutMs === 0 ? "none" : `${timeoutMs} ms`),
    ...(retry && retry.attempts > 0
      ? [
          line(
            "retries",
            `${retry.attempts} on ${retry.on}${retry.perTryTimeoutMs > 0 ? `, ${retry.perTryTimeoutMs} ms each` : ""}`,
          ),
        ]
      : []),
    ...mirrors.map(({ cluster, share }) => line("mirror", `${percent(share)} to ${cluster}`)),
    ...(path === null ? [] : [line("path", path)]),
    ...(authority === null ? [] : [line("authority", authority)]),
    ...(hashedBy.length > 0 ? [line("placed by", hashedBy.join(", "))] : []),
    ...(requestHeaders.length > 0 ? [line("headers", requestHeaders.join(", "))] : []),
  ];
}

const tlsWords = {
  none: "plain text",
  simple: "TLS",
  mutual: "mutual TLS",
  "by-endpoint": "mutual TLS where the endpoint takes it",
};

function clusterLines(cluster: ExplainedCluster): string[] {
  const { name, share, found, discovery, policy, tls, origin, endpoints, more } = cluster;
  if (!found) return [`  ✗ cluster     ${name}: the proxy does not have it`];
  return [
    `  → cluster     ${percent(share)} ${name}`,
    `      ${[discovery, policy, tlsWords[tls]].filter(Boolean).join(", ")}${origin ? `  ${originWords(origin)}` : ""}`,
    ...endpoints.map(
      (one) =>
        `      ${mark(one.healthy)} ${one.address}  ${[one.workload, one.locality, one.healthy ? "" : one.health, one.priority > 0 ? `priority ${one.priority}` : ""].filter(Boolean).join("  ")}`,
    ),
    ...(more > 0 ? [`      and ${more} more`] : []),
  ];
}

function destinationLines({ endpoint, tls, identity, peerAuthentication, side }: ExplainedDestination): string[] {
  const { mode, origin } = peerAuthentication;
  return [
    `AT ${endpoint} by ${tlsWords[tls]}${identity ? ` as ${identity}` : ""}; the port takes ${mode}${origin ? `, ${originWords(origin)}` : ""}`,
    ...sideLines(side),
  ];
}

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
const has = (value: string | null): string => (value === null ? "" : `  has ${JSON.stringify(value)}`);

/** Config and requests come from others: what a terminal would take for a command is no part of a line. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, "�");
