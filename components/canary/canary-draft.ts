import { type CanaryRequest, defaultCanarySteps, type Entrance } from "../../server/contract/index.ts";

/** What the form holds; numbers that are not there yet are null. */
export interface CanaryDraft {
  from: string;
  to: string;
  /** As typed: `10, 25, 50`. */
  weights: string;
  hold: string;
  /** Of single steps, by their place; the others hold as long as `hold` says. */
  holds: Readonly<Record<number, string>>;
  minRequests: number | null;
  successMin: number | null;
  successDrop: number | null;
  latencyRatio: number | null;
}

/** As the kind writes them, and in seconds. */
export const holds = { "30s": 30, "1m": 60, "2m": 120, "5m": 300, "10m": 600, "30m": 1800, "1h": 3600 } as const;

export const newDraft = (versions: { from: string; to: string }): CanaryDraft => ({
  ...versions,
  weights: defaultCanarySteps.map(({ weight }) => weight).join(", "),
  hold: defaultCanarySteps[0].hold,
  holds: {},
  minRequests: 50,
  successMin: 99,
  successDrop: 1,
  latencyRatio: 2,
});

/** Percents; what is no number stays as the server shall see it: as 0. */
export const weightsOf = (text: string): number[] =>
  text
    .split(/[\s,;%，]+/)
    .filter((part) => part !== "")
    .map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 0));

/** What the API takes; `entrance`: whose rule it moves, where that is not the one inside of the mesh. A threshold that is left empty is not looked at. */
export function requestOf(
  draft: CanaryDraft,
  service: { namespace: string; name: string },
  entrance?: Entrance,
): CanaryRequest {
  const { from, to, hold, holds: own, minRequests, successMin, successDrop, latencyRatio } = draft;
  const rate = {
    ...(successMin !== null && { min: successMin }),
    ...(successDrop !== null && { maxDrop: successDrop }),
  };
  // Left out it would have its defaults: one that holds nothing up stands for none.
  const successRate = Object.keys(rate).length > 0 ? rate : { min: 0 };
  const thresholds = {
    ...(minRequests !== null && { minRequests }),
    successRate,
    latencyP95: { maxRatio: latencyRatio ?? 1000 },
  };
  const steps = weightsOf(draft.weights).map((weight, index) => ({ weight, hold: own[index] ?? hold }));
  const route = entrance && {
    route: { virtualService: `${entrance.namespace}/${entrance.name}`, rule: entrance.rules[0]?.index ?? 0 },
  };
  return { ...service, spec: { service: { name: service.name }, ...route, from, to, steps, thresholds } };
}
