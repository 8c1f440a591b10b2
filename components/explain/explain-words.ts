import type { Check, ExplainedEnd, ExplainedPolicy, ExplainedSide } from "../../server/contract/index.ts";

/** Whether the caller gets what it came for, or is told where that is. */
export const isGood = ({ kind, status }: ExplainedEnd): boolean =>
  kind === "forwarded" || kind === "redirected" || (kind === "answered" && status < 400);

/** The policy that a refusal goes back to: one that denies, and matched; where nothing allowed it there is none. */
export function refusingPolicy({ filters }: ExplainedSide): ExplainedPolicy | null {
  const denying = filters.find(({ rbac }) => rbac !== null && !rbac.trial && rbac.allowed === false)?.rbac;
  if (denying?.action !== "DENY") return null;
  return denying.policies.find(({ matched }) => matched === true) ?? null;
}

/** What of a rule did not hold, the others left out; what can't be told counts as such. */
export const failing = (checks: readonly Check[]): Check[] => checks.filter(({ ok }) => ok !== true);

/** Conditions that say something: anything at all is none. */
export const telling = (checks: readonly Check[]): Check[] => checks.filter(({ operator }) => operator !== "any");

/** Something that may decide about the request can't be judged: a condition of a route or a policy, or a filter. Not where the walk ended before. */
export const isOpen = ({ end, routes, filters }: ExplainedSide): boolean =>
  end.kind === "forwarded" &&
  (routes.some(({ verdict }) => verdict === "unknown") ||
    filters.some(({ kind, rbac }) => kind === "unjudged" || (rbac !== null && !rbac.trial && rbac.allowed === null)));
