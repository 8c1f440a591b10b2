import type { KindDefinition } from "../../config/kind.ts";
import { noSuchResource } from "./status-error.ts";

/** A kind as one of its versions serves it. */
export interface ServedKind {
  definition: KindDefinition;
  /** The version in the request's path: objects are answered in it, whatever version they are stored as. */
  version: string;
}

export interface GroupVersions {
  group: string;
  /** Preferred first. */
  versions: string[];
  preferred: string;
}

export interface KindIndex {
  /** What is kept here. */
  all: readonly KindDefinition[];
  /** Whether there are never objects of it: it is served to be listed. */
  isEmpty(kind: KindDefinition): boolean;
  /** Throws 404 when this group, version and plural name are not served. */
  byPath(group: string, version: string, plural: string): ServedKind;
  byKind(kind: string): KindDefinition | undefined;
  groups(): GroupVersions[];
  inGroupVersion(group: string, version: string): KindDefinition[];
}

/** `empty`: kinds that are served without objects, unless one of the same place is kept. */
export function indexKinds(kept: readonly KindDefinition[], empty: readonly KindDefinition[] = []): KindIndex {
  const isKept = ({ group, plural }: KindDefinition) =>
    kept.some((kind) => kind.group === group && kind.plural === plural);
  const extra = new Set(empty.filter((kind) => !isKept(kind)));
  const kinds = [...kept, ...extra];
  const serves = (kind: KindDefinition, group: string, version: string): boolean =>
    kind.group === group && versionsOf(kind).includes(version);
  return {
    all: kept,
    isEmpty: (kind) => extra.has(kind),
    byPath(group, version, plural) {
      const definition = kinds.find((kind) => kind.plural === plural && serves(kind, group, version));
      if (definition === undefined) throw noSuchResource();
      return { definition, version };
    },
    byKind: (name) => kept.find((kind) => kind.kind === name),
    groups() {
      const names = [...new Set(kinds.map((kind) => kind.group))].sort();
      return names.map((group) => {
        const members = kinds.filter((kind) => kind.group === group);
        const preferred = members[0]?.version ?? "v1";
        return { group, versions: [...new Set([preferred, ...members.flatMap(versionsOf)])], preferred };
      });
    },
    inGroupVersion: (group, version) => kinds.filter((kind) => serves(kind, group, version)),
  };
}

const versionsOf = (kind: KindDefinition): string[] => [kind.version, ...kind.aliases];

export const apiVersionOf = (group: string, version: string): string => (group ? `${group}/${version}` : version);
