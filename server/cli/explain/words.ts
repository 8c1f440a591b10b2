import type { Check, ExplainedEnd, ExplainedSide, Origin } from "../../contract/index.ts";

const subjects: Record<Check["subject"], string> = {
  path: "path",
  method: "method",
  authority: "authority",
  scheme: "scheme",
  header: "header",
  query: "query",
  grpc: "gRPC",
  fraction: "share",
  "destination-port": "port",
  "destination-address": "address",
  "server-name": "server name",
  transport: "transport",
  "application-protocol": "protocol",
  principal: "principal",
  "source-address": "source",
  "remote-address": "client",
  claim: "claim",
  other: "",
};

const operators: Record<Check["operator"], string> = {
  exact: "is",
  prefix: "begins with",
  "path-prefix": "is at or below",
  suffix: "ends with",
  contains: "contains",
  regex: "matches",
  template: "is of the form",
  present: "is there",
  absent: "is not there",
  range: "is one of",
  within: "is within",
  any: "is anything",
  "all-of": "all of",
  "any-of": "any of",
  share: "of requests:",
  unknown: "is not judged here",
};

/** `header end-user is "jason"`. */
export function checkWords(check: Check): string {
  if (check.of.length > 0) {
    return `${check.not ? "not " : ""}${operators[check.operator]} (${check.of.map(checkWords).join("; ")})`;
  }
  const quoted = check.operator === "regex" ? `/${check.value}/` : JSON.stringify(check.value);
  const parts = [
    subjects[check.subject],
    check.subject === "header" || check.subject === "query" || check.subject === "other" ? check.name : "",
    check.not ? "not:" : "",
    operators[check.operator],
    check.value === "" && check.operator !== "exact" ? "" : quoted,
    check.ignoreCase ? "(any case)" : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

export const mark = (ok: boolean | null): string => (ok === null ? "?" : ok ? "✓" : "✗");

/** `VirtualService default/reviews http[0].match[0], line 12`. */
export const originWords = ({ kind, namespace, name, rule, line }: Origin): string =>
  [`${kind} ${namespace ? `${namespace}/` : ""}${name}`, rule, line === null ? "" : `(line ${line})`]
    .filter(Boolean)
    .join(" ");

const ends: Record<ExplainedEnd["kind"], string> = {
  forwarded: "sent on",
  redirected: "redirected",
  answered: "answered by the proxy itself",
  aborted: "aborted by a fault",
  denied: "refused by an authorization policy",
  "no-listener": "no listener takes it",
  "no-chain": "no filter chain takes the connection, which is closed",
  "no-routes": "the listener's routes have not come yet",
  "no-virtual-host": "no virtual host has this authority",
  "no-route": "no route takes it",
  "no-cluster": "the proxy does not have the cluster",
  "no-endpoint": "the cluster has no healthy endpoint",
  "bad-request": "the path is refused",
};

export function endWords({ kind, status, details, location }: ExplainedEnd): string {
  const answer = status > 0 ? `${status}${location ? ` to ${location}` : ""}` : "";
  return [ends[kind], answer, details && details !== "direct_response" ? details : ""].filter(Boolean).join(", ");
}

export const listenerWords: Record<NonNullable<ExplainedSide["listener"]>["by"], string> = {
  "http-proxy": "the sidecar's HTTP proxy port",
  address: "at the address that is called",
  port: "at the port that is called",
  "original-destination": "takes every intercepted connection",
  only: "the only one that serves",
};
