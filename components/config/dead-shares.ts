import type { ChangeResult, ShareChange } from "../../server/contract/index.ts";

/** Destinations that a change gives requests to, and that have nobody to take them: what goes there is answered 503. */
export const deadShares = ({ shares }: Pick<ChangeResult, "shares">): ShareChange[] =>
  shares.filter(({ endpoints, before, after }) => endpoints === 0 && after > before);

/** `reviews v2`: the first label of a cluster's own name, else the whole host, and the subset. */
export const destinationText = ({ hostname, subset }: Pick<ShareChange, "hostname" | "subset">): string => {
  const short = /^([^.]+)\.[^.]+\.svc\./.exec(hostname)?.[1] ?? hostname;
  return subset === null ? short : `${short} ${subset}`;
};

/** Nothing about it needs a second look: nobody warns, and nothing goes where nobody is. */
export const isPlain = (plan: Pick<ChangeResult, "shares" | "warnings" | "undo">): boolean =>
  plan.warnings.length === 0 && deadShares(plan).length === 0 && (plan.undo?.since.length ?? 0) === 0;
