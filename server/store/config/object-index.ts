import { type ConfigObject, formatKey, type ResourceKey } from "../../config/object.ts";
import type { Commit, ListQuery } from "../../config/store.ts";

/**
 * The stored objects in memory, as of one revision. A read then costs one look at the database's revision instead of a query, a parse
 * and a copy per object, which is what a change's way to the proxies used to wait for.
 */
export class ObjectIndex {
  readonly #objects = new Map<string, ConfigObject>();
  /** By namespace, name and kind: all of them under "", and those of each kind that was asked for; kept so from then on. */
  readonly #sorted = new Map<string, ConfigObject[]>();
  #revision = 0;

  /** What it is of; 0 until it was filled. */
  get revision(): number {
    return this.#revision;
  }

  /** Forgets everything: what is read next is of another history. */
  clear(): void {
    this.#objects.clear();
    this.#revision = 0;
    this.#sorted.clear();
  }

  fill(objects: readonly ConfigObject[], revision: number): void {
    if (revision <= this.#revision) return; // a read that was overtaken
    this.#objects.clear();
    for (const object of objects) this.#objects.set(keyText(object), object);
    this.#revision = revision;
    this.#sorted.clear();
  }

  /** Takes the very next commit; any other is left for `fill`. */
  apply(commit: Commit): void {
    if (this.#revision === 0 || commit.revision !== this.#revision + 1) return;
    for (const { key, after } of commit.changes) {
      const before = this.#objects.get(formatKey(key));
      if (after) this.#objects.set(formatKey(key), after);
      else this.#objects.delete(formatKey(key));
      for (const kind of ["", key.kind]) replace(this.#sorted.get(kind), before, after);
    }
    this.#revision = commit.revision;
  }

  get(key: ResourceKey): ConfigObject | undefined {
    return this.#objects.get(formatKey(key));
  }

  list({ kind = "", namespace }: ListQuery): ConfigObject[] {
    let sorted = this.#sorted.get(kind);
    if (sorted === undefined) {
      sorted = [...this.#objects.values()].filter((it) => kind === "" || it.kind === kind).sort(byNamespaceNameKind);
      this.#sorted.set(kind, sorted);
    }
    return namespace === undefined ? [...sorted] : sorted.filter((it) => it.metadata.namespace === namespace);
  }
}

/** In a list that is kept in order; nothing where there is no list yet. */
function replace(
  list: ConfigObject[] | undefined,
  before: ConfigObject | undefined,
  after: ConfigObject | undefined,
): void {
  const object = before ?? after;
  if (list === undefined || object === undefined) return;
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (byNamespaceNameKind(list[middle] as ConfigObject, object) < 0) from = middle + 1;
    else to = middle;
  }
  list.splice(from, before ? 1 : 0, ...(after ? [after] : []));
}

const keyText = ({ kind, metadata }: ConfigObject): string =>
  formatKey({ kind, namespace: metadata.namespace, name: metadata.name });

const byNamespaceNameKind = (a: ConfigObject, b: ConfigObject): number =>
  compare(a.metadata.namespace, b.metadata.namespace) ||
  compare(a.metadata.name, b.metadata.name) ||
  compare(a.kind, b.kind);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
