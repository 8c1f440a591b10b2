import { refusalOf } from "../../access/caller.ts";
import { keyOf, type ResourceKey } from "../../config/object.ts";
import type { ConfigStore, Write } from "../../config/store.ts";
import { type Need, wholeMesh } from "../../contract/index.ts";
import { saidError } from "../api/status-error.ts";
import { currentScope } from "./caller-scope.ts";

/**
 * A store that holds each commit to what its caller may do, wherever in the API it is made: a weight that moves a VirtualService of another namespace, an
 * undo, an apply of many objects. It also remembers what a call wrote, for the audit.
 */
export function guardedStore(inner: ConfigStore): ConfigStore {
  return {
    get: (key) => inner.get(key),
    list: (query) => inner.list(query),
    watch: (revision, signal) => inner.watch(revision, signal),
    history: (query) => inner.history(query),
    revision: () => inner.revision(),
    check: () => inner.check(),
    close: () => inner.close(),
    async commit(writes, author, options) {
      const scope = currentScope();
      const grants = scope?.caller?.grants;
      if (grants) {
        for (const write of writes) {
          const refusal = refusalOf(grants, writeNeedOf(keyOfWrite(write)));
          if (refusal) throw saidError(403, "Forbidden", refusal);
        }
      }
      const commit = await inner.commit(writes, author, options);
      const { revision, changes } = commit;
      if (!options?.dryRun && changes.length > 0) scope?.commits.push({ revision, author, changes });
      return commit;
    },
  };
}

const keyOfWrite = (write: Write): ResourceKey => (write.op === "put" ? keyOf(write.object) : write.key);

/** What lies in no namespace, such as a Namespace, concerns the whole mesh; so does what rules it: Istio's MeshConfig. */
export function writeNeedOf({ kind, namespace }: Pick<ResourceKey, "kind" | "namespace">): Need {
  const isMeshWide = namespace === "" || kind === "MeshConfig";
  return { role: "operator", namespace: isMeshWide ? wholeMesh : namespace };
}
