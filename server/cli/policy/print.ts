import type { AdvisedPolicy, Evidence, LeftOut, PolicyCheck, ScopeAdvice } from "../../contract/index.ts";
import { columns } from "../columns.ts";

const reasons: Record<LeftOut["reason"], string> = {
  "plain-text": "came in plain text: no certificate says who called",
  "identity-unknown": "the account of its certificate is not known any more",
  refused: "was refused already",
  "client-errors": "got nothing but 4xx",
  "facts-missing": "the line does not tell its port, method or path",
  "not-matched": "the path has characters that no rule can name",
  "no-lines": "was counted, and no line of it is kept",
};

/** How much of what happened is known. */
export const evidenceText = ({ calls, lines, complete }: Evidence): string =>
  complete
    ? `from all ${calls} calls that were counted\n`
    : `from ${lines} access log lines of ${calls} calls that were counted: what none of these lines shows is not known\n`;

/** What stands behind a policy, and what it leaves out. */
export function leftOutText({ namespace, name, evidence, leftOut, rules }: AdvisedPolicy): string {
  const made = rules.flatMap(({ generalised }) =>
    generalised.map(({ template, paths, example }) => `  ${template} stands for ${paths} paths such as ${example}\n`),
  );
  const left = leftOut.map(
    ({ caller, calls, reason, sample }) =>
      `  left out: ${calls} of ${caller || "an unknown caller"}${sample?.path ? ` (${sample.method} ${sample.path})` : ""}, because it ${reasons[reason]}\n`,
  );
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
  const open = undecided > 0 ? `${undecided} can't be judged: not recorded is ${missing.join(", ")}\n` : "";
  const before = already > 0 ? `${already} are refused already\n` : "";
  const head = `would have refused ${wouldRefuse} of ${judged} calls\n${before}${open}${evidenceText(evidence)}`;
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
    .map(({ host, calls }) => `  left out: ${host}, called ${calls} times, is of no service\n`)
    .join("");
  if (size === null) return `no proxy is connected: what it saves is not known\n${lost}`;
  const { proxies, before, after } = size;
  return `${proxies} proxies: ${before.clusters} → ${after.clusters} clusters, ${before.bytes} → ${after.bytes} bytes\n${lost}`;
}
