import { bodyOf } from "../../../config/kind.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { apiVersionOf, type ServedKind } from "../kind-index.ts";

/** The object as a client of this version sees it. */
export function present(served: ServedKind, object: ConfigObject): Record<string, unknown> {
  const { namespace, ...metadata } = object.metadata;
  const { kind, group, namespaced } = served.definition;
  return {
    apiVersion: apiVersionOf(group, served.version),
    kind,
    metadata: namespaced ? { ...metadata, namespace } : metadata,
    ...bodyOf(served.definition, object.spec),
    ...((object.status ?? coreStatus[kind]) ? { status: object.status ?? coreStatus[kind] } : {}),
  };
}

/** Core kinds always have a status; clients look at it. */
const coreStatus: Record<string, Record<string, unknown>> = {
  Namespace: { phase: "Active" },
  Service: { loadBalancer: {} },
};

export const presentList = (
  served: ServedKind,
  items: readonly ConfigObject[],
  revision: number,
): Record<string, unknown> => ({
  apiVersion: apiVersionOf(served.definition.group, served.version),
  kind: `${served.definition.kind}List`,
  metadata: { resourceVersion: String(revision) },
  items: items.map((item) => present(served, item)),
});
