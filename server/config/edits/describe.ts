import type { Destination, HTTPFaultInjection, HTTPMatchRequest, HTTPRoute, StringMatch } from "../kinds/index.ts";

/** A match in words: `uri prefix /api and header end-user = jason`. */
export function describeMatch(match: HTTPMatchRequest): string {
  const conditions: string[] = [];
  if (match.uri !== undefined)
    conditions.push(`${condition("uri", match.uri)}${match.ignoreUriCase ? " (any case)" : ""}`);
  for (const key of ["scheme", "method", "authority"] as const) {
    const value = match[key];
    if (value !== undefined) conditions.push(condition(key, value));
  }
  for (const [name, value] of Object.entries(match.headers ?? {})) conditions.push(condition(`header ${name}`, value));
  for (const [name, value] of Object.entries(match.withoutHeaders ?? {})) {
    conditions.push(isPresence(value) ? `no header ${name}` : `not ${condition(`header ${name}`, value)}`);
  }
  for (const [name, value] of Object.entries(match.queryParams ?? {}))
    conditions.push(condition(`query ${name}`, value));
  if (match.port !== undefined) conditions.push(`port ${match.port}`);
  const caller = describeCaller(match);
  if (caller !== undefined) conditions.push(caller);
  if (match.gateways !== undefined && match.gateways.length > 0)
    conditions.push(`through ${match.gateways.join(" or ")}`);
  return conditions.length > 0 ? conditions.join(" and ") : "every request";
}

/** `from reviews v3 in default`; labels that are no name or version as they are. */
function describeCaller({ sourceLabels = {}, sourceNamespace }: HTTPMatchRequest): string | undefined {
  const { app, version, ...others } = sourceLabels;
  const labels = Object.entries(app === undefined && version !== undefined ? { version, ...others } : others);
  const words = [
    ...(app === undefined ? [] : [[app, version].filter(Boolean).join(" ")]),
    ...labels.map(([key, value]) => `${key}=${value}`),
  ];
  if (words.length === 0) return sourceNamespace === undefined ? undefined : `from namespace ${sourceNamespace}`;
  return `from ${words.join(", ")}${sourceNamespace === undefined ? "" : ` in ${sourceNamespace}`}`;
}

const isPresence = (match: StringMatch) =>
  match.exact === undefined && match.prefix === undefined && (match.regex ?? "*") === "*";

function condition(subject: string, match: StringMatch): string {
  if (match.exact !== undefined) return `${subject} = ${match.exact}`;
  if (match.prefix !== undefined) return `${subject} prefix ${match.prefix}`;
  return isPresence(match) ? `${subject} is there` : `${subject} matches ${match.regex}`;
}

/** `50 % delayed by 2s, 10 % aborted with 503`. */
export function describeFault({ delay, abort }: HTTPFaultInjection): string {
  const parts: string[] = [];
  if (delay !== undefined)
    parts.push(`${delay.percentage?.value ?? delay.percent ?? 0} % delayed by ${delay.fixedDelay}`);
  if (abort !== undefined) {
    const status = abort.httpStatus ?? `gRPC ${abort.grpcStatus}`;
    parts.push(`${abort.percentage?.value ?? 0} % aborted with ${status}`);
  }
  return parts.join(", ");
}

/** `2 × 500ms on 5xx`; null when the rule says nothing about retries. */
export function describeRetries({ retries }: HTTPRoute): string | null {
  if (retries === undefined) return null;
  if ((retries.attempts ?? 0) === 0) return "none";
  const limit = retries.perTryTimeout === undefined ? "" : ` of ${retries.perTryTimeout}`;
  return `${retries.attempts}${limit}${retries.retryOn ? ` on ${retries.retryOn}` : ""}`;
}

/** `reviews v3 10 %`, several divided by commas. */
export function describeMirrors(rule: HTTPRoute): string | null {
  const mirrors = (rule.mirrors ?? []).map(({ destination, percentage }) => ({
    destination,
    share: percentage?.value ?? 100,
  }));
  if (rule.mirror !== undefined) {
    const share = rule.mirrorPercentage?.value ?? rule.mirrorPercent ?? rule.mirror_percent ?? 100;
    mirrors.push({ destination: rule.mirror, share });
  }
  return mirrors.length > 0
    ? mirrors.map(({ destination, share }) => `${describeDestination(destination)} ${share} %`).join(", ")
    : null;
}

const describeDestination = ({ host, subset }: Destination): string =>
  subset === undefined ? host : `${host} ${subset}`;

/** `301 to https://new.example.com/path`, or an answer of the proxy itself. */
export function describeRedirect(rule: HTTPRoute): string | null {
  if (rule.directResponse !== undefined) return `answered with ${rule.directResponse.status}`;
  const redirect = rule.redirect;
  if (redirect === undefined) return null;
  const port = redirect.port === undefined ? "" : `:${redirect.port}`;
  const origin = `${redirect.scheme === undefined ? "" : `${redirect.scheme}://`}${redirect.authority ?? (redirect.scheme || port ? "<same host>" : "")}${port}`;
  const path = redirect.uri ?? (redirect.prefixRewrite === undefined ? "" : `${redirect.prefixRewrite}…`);
  return `${redirect.redirectCode ?? 301} to ${origin}${path}`;
}
