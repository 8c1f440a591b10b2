import { type ConfigObject, keyOf, type ResourceKey } from "../../config/object.ts";
import type { ConfigChange, ConfigStore, ListQuery, Write } from "../../config/store.ts";
import { told } from "../../contract/index.ts";
import { registrationAnnotations } from "../../model/registered-workloads.ts";
import { compareNames } from "../api/kubernetes/list-at.ts";
import { saidError } from "../api/status-error.ts";
import type { Registrations } from "./registrations.ts";

export type RegisteredEntries = Pick<Registrations, "entries" | "remove" | "log">;

const kind = "WorkloadEntry";

/**
 * A config store as clients of Kubernetes see it: with the entries of workloads that registered themselves, which are read like any other. They can be
 * deleted, until their proxies come anew, and not written: what they say is their group's.
 */
export function registeredStore(inner: ConfigStore, registered: RegisteredEntries): ConfigStore {
  const find = (key: ResourceKey): ConfigObject | undefined =>
    key.kind === kind ? registered.entries().find((entry) => isSame(keyOf(entry), key)) : undefined;
  const removed = async (key: ResourceKey): Promise<ConfigObject | undefined> =>
    (await inner.get(key)) === undefined ? find(key) : undefined;
  return {
    get: async (key) => (await inner.get(key)) ?? find(key),
    async list(query = {}) {
      const { items, revision } = await inner.list(query);
      const more = matching(registered.entries(), query);
      if (more.length === 0) return { items, revision };
      const written = new Set(items.filter((it) => it.kind === kind).map((it) => nameOf(keyOf(it))));
      const others = more.filter((it) => !written.has(nameOf(keyOf(it))));
      return { items: [...items, ...others].sort((a, b) => compareNames(a.metadata, b.metadata)), revision };
    },
    watch: (revision, signal) => inner.watch(revision, signal),
    history: (query) => inner.history(query),
    revision: () => inner.revision(),
    check: () => inner.check(),
    close: () => inner.close(),
    async commit(writes, author, options = {}) {
      const rest: Write[] = [];
      const gone: ConfigChange[] = [];
      for (const write of writes) {
        const key = write.op === "put" ? keyOf(write.object) : write.key;
        const entry = key.kind === kind ? await removed(key) : undefined;
        if (entry === undefined) rest.push(write);
        else if (write.op === "put") throw saidError(409, "Conflict", told("registered-entry", described(entry)));
        else gone.push({ type: "DELETED", key, before: entry });
      }
      if (gone.length === 0) return inner.commit(writes, author, options);
      const commit = await inner.commit(rest, author, options);
      if (!options.dryRun) for (const { key } of gone) registered.remove(nameOf(key));
      return { ...commit, changes: [...commit.changes, ...gone] };
    },
  };
}

const described = ({ metadata: { namespace, name, annotations = {} } }: ConfigObject) => ({
  object: `WorkloadEntry ${namespace}/${name}`,
  group: `${namespace}/${annotations[registrationAnnotations.group] ?? ""}`,
});

const nameOf = ({ namespace, name }: ResourceKey): string => `${namespace}/${name}`;
const isSame = (a: ResourceKey, b: ResourceKey): boolean => a.name === b.name && a.namespace === b.namespace;

const matching = (entries: readonly ConfigObject[], query: ListQuery): ConfigObject[] =>
  entries.filter(
    (entry) =>
      (query.kind === undefined || query.kind === kind) &&
      (query.namespace === undefined || query.namespace === entry.metadata.namespace),
  );
