import { describeMatch } from "../../../config/edits/describe.ts";
import { percents } from "../../../config/edits/routing.ts";
import type { HTTPMatchRequest, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { conditionsOf, type ShareChange } from "../../../contract/index.ts";
import type { Facts } from "../warnings/facts.ts";

/** What http, tcp and tls rules have alike. */
export interface Rule {
  match?: readonly object[] | undefined;
  route?: readonly { destination: { host: string; subset?: string | undefined }; weight?: number | undefined }[];
  /** Of one that is written elsewhere, or in another place, than where it is in force. */
  place?: RulePlace;
}

/** The object, as `<namespace>/<name>`, and the index into its list. */
type RulePlace = Pick<ShareChange, "virtualService" | "rule">;

export const lists = ["http", "tcp", "tls"] as const satisfies readonly ShareChange["list"][];

export const rulesOf = ({ spec }: ConfigObject, list: ShareChange["list"]): readonly Rule[] =>
  (spec as unknown as VirtualServiceSpec)[list] ?? [];

/** Where a rule is written that is in force in an object at an index. */
export const placeOf = (
  rule: Rule,
  { namespace, name }: { namespace: string; name: string },
  index: number,
): RulePlace => rule.place ?? { virtualService: `${namespace}/${name}`, rule: index };

/** Which requests or connections a rule is for, as a share tells it. */
export const limitsOf = (rule: Rule, list: ShareChange["list"]): Pick<ShareChange, "matches" | "conditions"> => ({
  matches: wordsOf(rule),
  ...(list === "http" && { conditions: (rule.match ?? []).map((one) => conditionsOf(one as HTTPMatchRequest)) }),
});

/** What a rule matches, in words; server names and ports of connections too. */
const wordsOf = ({ match = [] }: Rule): string[] =>
  match.map((one) => {
    const { sniHosts = [] } = one as { sniHosts?: readonly string[] };
    const others = describeMatch(one as HTTPMatchRequest);
    return sniHosts.length > 0 ? `server name ${sniHosts.join(" or ")}` : others;
  });

/** Percents by `<hostname>|<subset>`. A lone destination gets everything, whatever its weight says. */
export function sharesOf({ route = [] }: Rule, namespace: string, facts: Facts): Map<string, number> {
  const whole = percents(route.length === 1 ? [1] : route.map(({ weight = 0 }) => weight));
  const found = new Map<string, number>();
  for (const [index, { destination }] of route.entries()) {
    const key = `${facts.resolve(destination.host, namespace)}|${destination.subset ?? ""}`;
    found.set(key, (found.get(key) ?? 0) + (whole[index] ?? 0));
  }
  return found;
}
