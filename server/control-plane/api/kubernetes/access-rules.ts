import { allows, type Grant } from "../../../contract/index.ts";
import { writeNeedOf } from "../../access/guarded-store.ts";
import type { KindIndex } from "../kind-index.ts";

const everything = ["*"];
const readVerbs = ["get", "list", "watch"];
const writeVerbs = ["create", "delete", "deletecollection", "patch", "update"];

/** What a SelfSubjectRulesReview says of a namespace: one rule for what all may read, and one for each group of what may be written. */
export function resourceRules(kinds: KindIndex, grants: readonly Grant[] | undefined, namespace: string) {
  if (grants === undefined) {
    return {
      resourceRules: [{ verbs: everything, apiGroups: everything, resources: everything }],
      nonResourceRules: [{ verbs: everything, nonResourceURLs: everything }],
      incomplete: false,
    };
  }
  const mayLook = allows(grants, { role: "viewer" });
  const written = kinds.all.filter(({ kind, namespaced }) =>
    allows(grants, writeNeedOf({ kind, namespace: namespaced ? namespace : "" })),
  );
  const groups = Map.groupBy(written, ({ group }) => group);
  return {
    resourceRules: [
      ...(mayLook ? [{ verbs: readVerbs, apiGroups: everything, resources: everything }] : []),
      ...[...groups].map(([group, members]) => ({
        verbs: writeVerbs,
        apiGroups: [group],
        resources: members.flatMap(({ plural }) => [plural, `${plural}/status`]),
      })),
    ],
    nonResourceRules: mayLook ? [{ verbs: ["get"], nonResourceURLs: everything }] : [],
    incomplete: false,
  };
}
