import type { AlertRuleItem, AlertRuleShape } from "../../server/contract/index.ts";

export const conditions = ["errors", "latency", "rate", "health", "proxies", "certificates"] as const;
export type ConditionKind = (typeof conditions)[number];

/** A rule as a form has it. Fields of conditions that are not chosen keep what stood there. */
export interface RuleDraft {
  namespace: string;
  name: string;
  /** Empty: every service. */
  service: string;
  condition: ConditionKind;
  errorsAbove: number | string;
  latencyAbove: string;
  percentile: "P50" | "P90" | "P95" | "P99";
  rateAbove: number | string;
  rateBelow: number | string;
  atLeast: "Degraded" | "Failing";
  states: ("Disconnected" | "Refused" | "Lagging")[];
  endWithin: string;
  window: string;
  lasts: string;
  severity: "Info" | "Warning" | "Critical";
  /** Empty: everybody. */
  receivers: string[];
  suspended: boolean;
}

export const usualRule: RuleDraft = {
  ...{ namespace: "default", name: "", service: "", condition: "errors", errorsAbove: 5, latencyAbove: "500ms" },
  ...{ percentile: "P95", rateAbove: "", rateBelow: "", atLeast: "Failing", states: ["Disconnected"] },
  ...{ endWithin: "4h", window: "1m", lasts: "1m", severity: "Warning", receivers: [], suspended: false },
};

export function draftOfRule({ namespace, name, spec }: AlertRuleItem): RuleDraft {
  const { when } = spec;
  return {
    ...{ namespace, name, service: spec.service ?? "" },
    condition: conditions.find((kind) => when[kind] !== undefined) ?? "errors",
    errorsAbove: when.errors?.above ?? usualRule.errorsAbove,
    latencyAbove: when.latency?.above ?? usualRule.latencyAbove,
    percentile: when.latency?.percentile ?? "P95",
    rateAbove: when.rate?.above ?? "",
    rateBelow: when.rate?.below ?? "",
    atLeast: when.health?.atLeast ?? "Failing",
    states: when.proxies?.states ?? usualRule.states,
    endWithin: when.certificates?.endWithin ?? usualRule.endWithin,
    ...{ window: spec.window ?? "1m", lasts: spec.for ?? "1m", severity: spec.severity ?? "Warning" },
    ...{ receivers: spec.receivers ?? [], suspended: spec.suspended ?? false },
  };
}

/** The spec that the form says; what it has no field for is kept. */
export function specOfDraft(draft: RuleDraft, before: AlertRuleShape | undefined): AlertRuleShape {
  const { service: _, receivers: __, suspended: ___, when: ____, ...rest } = before ?? { when: {} };
  const isOfServices = draft.condition !== "proxies" && draft.condition !== "certificates";
  return {
    ...(isOfServices && draft.service !== "" && { service: draft.service }),
    when: whenOf(draft),
    ...rest,
    ...{ window: draft.window, for: draft.lasts, severity: draft.severity },
    ...(draft.receivers.length > 0 && { receivers: draft.receivers }),
    ...(draft.suspended && { suspended: true }),
  };
}

function whenOf(draft: RuleDraft): AlertRuleShape["when"] {
  switch (draft.condition) {
    case "errors":
      return { errors: { above: Number(draft.errorsAbove) } };
    case "latency":
      return { latency: { above: draft.latencyAbove, percentile: draft.percentile } };
    case "rate": {
      const [above, below] = [draft.rateAbove, draft.rateBelow].map((text) => (text === "" ? undefined : Number(text)));
      return { rate: { ...(above !== undefined && { above }), ...(below !== undefined && { below }) } };
    }
    case "health":
      return { health: { atLeast: draft.atLeast } };
    case "proxies":
      return { proxies: { states: draft.states } };
    case "certificates":
      return { certificates: { endWithin: draft.endWithin } };
  }
}

/** As the API takes it: JSON is YAML. With a version it is refused where somebody else has written meanwhile. */
export const ruleText = (
  { namespace, name, resourceVersion }: Pick<AlertRuleItem, "namespace" | "name" | "resourceVersion">,
  spec: AlertRuleShape,
): string =>
  JSON.stringify({
    ...{ apiVersion: "limpid.dev/v1alpha1", kind: "AlertRule" },
    metadata: { name, namespace, ...(resourceVersion !== null && { resourceVersion }) },
    spec,
  });
