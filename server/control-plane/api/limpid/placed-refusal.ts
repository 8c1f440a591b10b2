import type { ChangedObject, ForetoldRefusal } from "../../../contract/index.ts";
import { withoutFilledIn } from "../../../contract/index.ts";
import { blamedPlace, type YamlPlace } from "../../../wire/yaml-place.ts";
import type { Foretold } from "../../foretell.ts";
import { objectAt } from "../../origins.ts";

/**
 * A refusal with the object of the change that it comes from, and the line that the proxy quotes. A resource says of what it was made; where it
 * doesn't, it is the object that has what is quoted, or the only one.
 */
export function placedRefusal(
  { type, name, detail, proxies, origin }: Foretold,
  objects: readonly ChangedObject[],
): ForetoldRefusal {
  const said = { type, resource: name, detail, proxies };
  const written = objects.filter(({ after }) => after !== "");
  const known = origin === undefined ? undefined : objectAt(origin);
  const named = known && written.find((one) => isSame(one, known));
  const candidates = named ? [named] : written;
  for (const one of candidates) {
    const place = placeIn(one, detail);
    if (place) return { ...said, object: keyOf(one), place };
  }
  const [only] = candidates;
  return { ...said, object: only && candidates.length === 1 ? keyOf(only) : null, place: null };
}

const placeIn = ({ after }: ChangedObject, detail: string): YamlPlace | null =>
  blamedPlace(withoutFilledIn(after), detail);

const keyOf = ({ kind, namespace, name }: ChangedObject): ForetoldRefusal["object"] => ({ kind, namespace, name });

const isSame = (a: ChangedObject, b: { kind: string; namespace: string; name: string }): boolean =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
