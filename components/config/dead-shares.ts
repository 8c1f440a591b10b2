import { type ChangeResult, deadShares, type ShareChange } from "../../server/contract/index.ts";

/** `reviews v2`: the first label of a cluster's own name, else the whole host, and the subset. */
export const destinationText = ({ hostname, subset }: Pick<ShareChange, "hostname" | "subset">): string => {
  const short = /^([^.]+)\.[^.]+\.svc\./.exec(hostname)?.[1] ?? hostname;
  return subset === null ? short : `${short} ${subset}`;
};

/** Nothing about it needs a second look: nobody warns, and nothing goes where nobody is, nobody would refuse it. */
export const isPlain = (plan: Pick<ChangeResult, "shares" | "warnings" | "undo" | "refusals">): boolean =>
  plan.warnings.length === 0 &&
  deadShares(plan).length === 0 &&
  (plan.refusals?.length ?? 0) === 0 &&
  (plan.undo?.since.length ?? 0) === 0;

/** Tells one share from the others of a change. */
export const shareKey = ({ virtualService, list, rule, matches, hostname, subset, clients }: ShareChange): string =>
  [virtualService, list, rule, ...matches, hostname, subset, clients].join("|");
