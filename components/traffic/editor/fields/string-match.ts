/** How Istio compares a text. */
export const matchWays = ["exact", "prefix", "regex"] as const;
export type MatchWay = (typeof matchWays)[number] | "present";

export interface StringMatch {
  way: MatchWay;
  value: string;
}

/** `{prefix: /api}`; `{}` and `{regex: "*"}` ask only that something is there. */
export function readMatch(value: unknown): StringMatch {
  const match = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const way = matchWays.find((one) => match[one] !== undefined);
  if (way === undefined || (way === "regex" && match.regex === "*")) return { way: "present", value: "" };
  return { way, value: String(match[way]) };
}

export const writeMatch = ({ way, value }: StringMatch): Record<string, string> =>
  way === "present" ? {} : { [way]: value };
