import type { ConfigObject } from "../../../config/object.ts";
import { isRecord } from "../body.ts";
import { badRequest, expired } from "../status-error.ts";
import { compareNames } from "./list-at.ts";

/** Which part of a list a client asks for. https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks */
export interface PageRequest {
  /** Undefined: everything that is left. */
  limit: number | undefined;
  /** Where the page before ended, and the revision that all pages show. */
  after: { namespace: string; name: string; revision: number } | undefined;
}

export interface Page {
  items: ConfigObject[];
  /** Of the list that the page is of. */
  revision: number;
  /** Set when more follows. */
  continue?: string;
  remainingItemCount?: number;
}

/** `limit` and `continue` of a list. Throws 400. */
export function pageRequestOf(query: URLSearchParams): PageRequest {
  const limit = query.get("limit") ?? "";
  if (!/^-?\d{0,15}$/.test(limit) || limit === "-") throw badRequest(`limit: Invalid value: ${JSON.stringify(limit)}`);
  const token = query.get("continue") ?? "";
  const version = query.get("resourceVersion") ?? "";
  if (token !== "" && version !== "" && version !== "0") {
    throw badRequest("resourceVersion: Forbidden: specifying resource version is not allowed when using continue");
  }
  return { limit: Number(limit) > 0 ? Number(limit) : undefined, after: token === "" ? undefined : readToken(token) };
}

/** The page out of the whole, selected list. `isSelected`: there are selectors, with which nobody knows how many are left. */
export function pageOf(
  all: readonly ConfigObject[],
  request: PageRequest,
  revision: number,
  isSelected: boolean,
): Page {
  const { limit, after } = request;
  const rest = after ? all.filter((object) => compareNames(object.metadata, after) > 0) : [...all];
  if (limit === undefined || rest.length <= limit) return { items: rest, revision };
  const items = rest.slice(0, limit);
  const { namespace = "", name = "" } = items.at(-1)?.metadata ?? {};
  const page = { items, revision, continue: writeToken({ namespace, name, revision }) };
  return isSelected ? page : { ...page, remainingItemCount: rest.length - limit };
}

/** What a list's metadata says of its page. */
export const pageMetadata = ({ revision, continue: token, remainingItemCount }: Page): Record<string, unknown> => ({
  resourceVersion: String(revision),
  ...(token === undefined ? {} : { continue: token }),
  ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
});

export const pageExpired = () =>
  expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.",
  );

// Kubernetes' own form, though clients must not look into it.
const writeToken = ({ namespace, name, revision }: NonNullable<PageRequest["after"]>): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${namespace}/${name}` })).toString(
    "base64url",
  );

function readToken(token: string): NonNullable<PageRequest["after"]> {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
  } catch {
    // told below
  }
  const { v, rv, start } = isRecord(content) ? content : {};
  const [namespace, name, extra] = typeof start === "string" ? start.split("/") : [];
  if (v !== "meta.k8s.io/v1" || !Number.isSafeInteger(rv) || namespace === undefined || !name || extra !== undefined) {
    throw badRequest("continue key is not valid: it is none that this server gave out");
  }
  return { namespace, name, revision: Number(rv) };
}
