import { parseRange, type RangeQuery } from "../ui/time-range.ts";

/** Longer than other pages look back: what is called once in a while is to be allowed, too. */
export const adviceWindowSec = 6 * 3600;

export interface AdviceAsked {
  show: "policy" | "scope";
  /** As the API takes it. */
  query: Record<string, string>;
}

/** What the address asks for; null: it names nobody. */
export function adviceAsked(
  get: (name: keyof RangeQuery | "namespace" | "workload" | "show") => string | null | undefined,
): AdviceAsked | null {
  const [namespace, workload] = [get("namespace"), get("workload")];
  if (!namespace) return null;
  const { windowSec, at } = parseRange(get, adviceWindowSec);
  return {
    show: get("show") === "scope" ? "scope" : "policy",
    query: {
      namespace,
      ...(workload && { workload }),
      window: String(windowSec),
      ...(at !== null && { at: String(at) }),
    },
  };
}
