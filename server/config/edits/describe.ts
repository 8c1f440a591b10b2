import { type Condition, conditionsOf } from "../../contract/index.ts";
import type { Destination, HTTPFaultInjection, HTTPMatchRequest, HTTPRoute } from "../kinds/index.ts";

/** A match in words: `uri prefix /api and header end-user = jason`. */
export function describeMatch(match: HTTPMatchRequest): string {
  const conditions = conditionsOf(match);
  return conditions.length > 0 ? conditions.map(conditionText).join(" and ") : "every request";
}

type StringCondition = Extract<Condition, { op: string }>;

function conditionText(one: Condition): string {
  switch (one.about) {
    case "port":
      return `port ${one.port}`;
    case "gateways":
      return `through ${one.gateways.join(" or ")}`;
    case "caller": {
      if (one.labels.length === 0) return `from namespace ${one.namespace}`;
      return `from ${one.labels.join(", ")}${one.namespace === "" ? "" : ` in ${one.namespace}`}`;
    }
    default:
      return stringText(one);
  }
}

const operators = { exact: "=", prefix: "prefix", regex: "matches" } as const;

function stringText({ about, name, op, value, not, anyCase }: StringCondition): string {
  const subject = name === "" ? about : `${about} ${name}`;
  if (op === "present") return not ? `no ${subject}` : `${subject} is there`;
  return `${not ? "not " : ""}${subject} ${operators[op]} ${value}${anyCase ? " (any case)" : ""}`;
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
