import type { Subset } from "../kinds/index.ts";
import { isDnsLabel } from "../kinds/names.ts";

export interface VersionSubset {
  version: string;
  subset: string;
}

/** Each version with the subset that stands for it, or the name that a new one would have. */
export function versionSubsets(versions: readonly string[], subsets: readonly Subset[]): VersionSubset[] {
  const taken = new Set(subsets.map((subset) => subset.name));
  return versions.map((version) => {
    const existing = subsets.find((subset) => versionOf(subset) === version);
    if (existing !== undefined) return { version, subset: existing.name };
    const name = freeName(version, taken);
    taken.add(name);
    return { version, subset: name };
  });
}

/** The version that a subset stands for: it selects by that label alone. */
export function versionOf(subset: Subset): string | undefined {
  const labels = Object.entries(subset.labels ?? {});
  const version = subset.labels?.version;
  return labels.length === 1 ? version : undefined;
}

/** A label's value may have dots and underscores; a subset's name may not. */
function freeName(version: string, taken: ReadonlySet<string>): string {
  const plain = version
    .replace(/[^A-Za-z0-9-]/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 50);
  const base = isDnsLabel(plain) ? plain : "version";
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}-${count}`;
  return name;
}
