import { type ConfigObject, formatKey, type ResourceKey } from "../../config/object.ts";
import type { Commit, ListQuery } from "../../config/store.ts";

/**
 * The stored objects in memory, as of one revision. A read then costs one look at the database's revision instead of a query, a parse
 * and a copy per object, which is what a change's way to the proxies used to wait for.
 */
export class ObjectIndex {
  readonly #objects = new Map<string, ConfigObject>();
  /** By namespace, name and kind; made again when it is asked for after a change. */
  #sorted: ConfigObject[] | undefined;
  #revision = 0;

  /** What it is of; 0 until it was filled. */
  get revision(): number {
    return this.#revision;
  }

  /** Forgets everything: what is read next is of another history. */
  clear(): void {
    this.#objects.clear();
    this.#revision = 0;
    this.#sorted = undefined;
  }

  fill(objects: readonly ConfigObject[], revision: number): void {
    if (revision <= this.#revision) return; // a read that was overtaken
    this.#objects.clear();
    for (const object of objects) this.#objects.set(keyText(object), object);
    this.#revision = revision;
    this.#sorted = undefined;
  }

  /** Takes the very next commit; any other is left for `fill`. */
  apply(commit: Commit): void {
    if (this.#revision === 0 || commit.revision !== this.#revision + 1) return;
    for (const { key, after } of commit.changes) {
      if (after) this.#objects.set(formatKey(key), after);
      else this.#objects.delete(formatKey(key));
    }
    this.#revision = commit.revision;
    this.#sorted = undefined;
  }

  get(key: ResourceKey): ConfigObject | undefined {
    return this.#objects.get(formatKey(key));
  }

  list({ kind, namespace }: ListQuery): ConfigObject[] {
    this.#sorted ??= [...this.#objects.values()].sort(byNamespaceNameKind);
    return this.#sorted.filter(
      (object) =>
        (kind === undefined || object.kind === kind) &&
        (namespace === undefined || object.metadata.namespace === namespace),
    );
  }
}

const keyText = ({ kind, metadata }: ConfigObject): string =>
  formatKey({ kind, namespace: metadata.namespace, name: metadata.name });

const byNamespaceNameKind = (a: ConfigObject, b: ConfigObject): number =>
  compare(a.metadata.namespace, b.metadata.namespace) ||
  compare(a.metadata.name, b.metadata.name) ||
  compare(a.kind, b.kind);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
