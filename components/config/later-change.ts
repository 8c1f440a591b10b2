import type { Change } from "../../server/contract/index.ts";

const nameOf = ({ kind, namespace, name }: Change["objects"][number]): string => `${kind} ${namespace}/${name}`;

/**
 * The newest of the later changes that wrote an object of this one: it is not the last word any more, and undoing it would take more back
 * than itself. Undefined while it is.
 */
export function laterChange(
  change: Pick<Change, "revision" | "objects">,
  changes: readonly Change[],
): Change | undefined {
  const own = new Set(change.objects.map(nameOf));
  return changes
    .filter(({ revision, objects }) => revision > change.revision && objects.some((one) => own.has(nameOf(one))))
    .toSorted((a, b) => b.revision - a.revision)[0];
}
