import { type FieldSchema, KindList, KindSchema } from "../../../server/contract/index.ts";
import { getJson } from "../../lib/api.ts";

const known = new Map<string, Promise<unknown>>();

/** Once asked, kept as long as the page lives; a failure is asked again. */
function remembered<T>(key: string, read: () => Promise<T>): Promise<T> {
  const present = known.get(key) as Promise<T> | undefined;
  if (present) return present;
  const asked = read();
  known.set(key, asked);
  asked.catch(() => known.delete(key));
  return asked;
}

/** A kind's schema; null where there is no such kind, or nobody answers: an editor works without. */
export const loadSchema = (kind: string): Promise<FieldSchema | null> =>
  remembered(`kind/${kind}`, () => getJson(KindSchema, `/api/schemas/${encodeURIComponent(kind)}`)).then(
    ({ schema }) => schema,
    () => null,
  );

export const loadKinds = (): Promise<KindList["kinds"]> =>
  remembered("kinds", () => getJson(KindList, "/api/schemas")).then(
    ({ kinds }) => kinds,
    () => [],
  );
