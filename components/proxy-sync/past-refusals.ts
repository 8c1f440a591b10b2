import type { Change, ProxySync, PushSummary } from "../../server/contract/index.ts";

/** What proxies refused with one push, in the same words. */
export interface PastRefusal {
  revision: number;
  committedAt: number;
  author: string;
  /** The proxies' own words. */
  error: string;
  proxies: { id: string; name: string }[];
  /** What the change wrote; empty where the history does not reach back so far. */
  objects: Change["objects"];
  /** A proxy that refused it refuses something in the same words still. */
  open: boolean;
}

/** Every refusal that the pushes remember, the newest first. */
export function pastRefusals(
  pushes: readonly PushSummary[],
  proxies: readonly ProxySync[],
  changes: readonly Change[],
): PastRefusal[] {
  const standing = new Map(
    proxies.map(({ id, types }) => [
      id,
      new Set(Object.values(types).flatMap(({ errors }) => errors.map(({ detail }) => detail))),
    ]),
  );
  return pushes.flatMap(({ revision, committedAt, author, trouble }) => {
    const refused = trouble.filter(({ state }) => state === "nacked");
    const objects = changes.find((change) => change.revision === revision)?.objects ?? [];
    return [...Map.groupBy(refused, ({ error }) => error ?? "")].map(([error, list]) => ({
      revision,
      committedAt,
      author,
      error,
      proxies: list.map(({ id, name }) => ({ id, name })),
      objects,
      open: list.some(({ id }) => [...(standing.get(id) ?? [])].some((detail) => isSame(detail, error))),
    }));
  });
}

/** A push's error has what was refused before the proxy's words, or is cut. */
const isSame = (detail: string, error: string): boolean =>
  error !== "" && (error.includes(detail) || detail.includes(error));
