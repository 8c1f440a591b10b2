import type { AdvisedPolicy, Evidence, LeftOut, PolicyCheck, ScopeAdvice } from "../../contract/index.ts";
import { columns } from "../columns.ts";
import { count } from "../count.ts";

/** Of its calls. */
const reasons: Record<LeftOut["reason"], string> = {
  "plain-text": "in plain text: no certificate says who called",
  "identity-unknown": "the account of the certificate is not known any more",
  refused: "refused already",
  "client-errors": "answered by 4xx alone",
  "facts-missing": "port, method or path are not in the access log",
  "not-matched": "the path has characters that no rule can name",
  "no-lines": "counted, but no line of it is kept",
};

/** How much of what happened is known. */
export const evidenceText = ({ calls, lines, complete }: Evidence): string =>
  complete
    ? `from ${count(calls, "counted call")}, which is all of them\n`
    : `from ${count(lines, "access log line")} of ${count(calls, "counted call")}: what no line shows is not known\n`;

/** What stands behind a policy, and what it leaves out. */
export function leftOutText({ namespace, name, evidence, leftOut, rules }: AdvisedPolicy): string {
  const made = rules.flatMap(({ principals, generalised, asSeen }) => [
    ...generalised.map(
      ({ template, paths, example }) => `  ${template} stands for ${count(paths, "path")} such as ${example}\n`,
    ),
    ...(asSeen === 0 ? [] : [`  ${count(asSeen, "path")} of ${principals.join(", ")} as seen: any other is refused\n`]),
  ]);
  const left = leftOut.map(({ caller, calls, reason, sample }) => {
    const example = sample?.path ? `, such as ${sample.method} ${sample.path}` : "";
    return `  left out: ${count(calls, "call")} of ${caller || "an unknown caller"}${example} (${reasons[reason]})\n`;
  });
  return `${namespace}/${name}: ${evidenceText(evidence)}${[...new Set(made)].join("")}${left.join("")}`;
}

/** What policies would have refused. */
export function checkText({
  judged,
  wouldRefuse,
  already,
  undecided,
  missing,
  refused,
  evidence,
}: PolicyCheck): string {
  const open = undecided > 0 ? `can't judge ${count(undecided, "call")}: not recorded is ${missing.join(", ")}\n` : "";
  const before = already > 0 ? `${count(already, "call")} refused already\n` : "";
  const head = `would have refused ${wouldRefuse} of ${count(judged, "call")}\n${before}${open}${evidenceText(evidence)}`;
  if (refused.length === 0) return head;
  const rows = refused.map((it) => [
    String(it.calls),
    new Date(it.at).toISOString().slice(0, 19).replace("T", " "),
    it.caller || "unknown",
    it.destination,
    it.method === "" ? `tcp ${it.port ?? ""}` : `${it.method} ${it.path}`,
    it.rule,
  ]);
  return `${head}\n${columns([["CALLS", "LAST (UTC)", "CALLER", "CALLED", "REQUEST", "BY"], ...rows])}`;
}

/** What a scope would save. */
export function scopeText({ size, unknown }: ScopeAdvice): string {
  const lost = unknown
    .map(({ host, calls }) => `  left out: ${host} of no service, for ${count(calls, "call")}\n`)
    .join("");
  if (size === null) return `no proxy is connected: what it saves is not known\n${lost}`;
  const { proxies, before, after } = size;
  return `${count(proxies, "proxy", "proxies")}: ${before.clusters} → ${count(after.clusters, "cluster")}, ${before.bytes} → ${count(after.bytes, "byte")}\n${lost}`;
}
