import type { Commit } from "../../../config/store.ts";
import { Change, type MeshService } from "../../../contract/index.ts";
import type { ApiRequest } from "../router.ts";
import { badRequest } from "../status-error.ts";
import { toChange } from "./change-summary.ts";
import { integerQuery } from "./request.ts";

/** Which changes are asked for; what is undefined asks for nothing. */
export interface ChangeFilter {
  /** Unix milliseconds, inclusive. */
  untilMs: number | undefined;
  author: string | undefined;
  type: Change["kind"] | undefined;
  /** Words that all stand in `Kind namespace/name` of one object, in any case. */
  object: readonly string[];
}

/** `?until=<unix ms>&author=<name>&type=<kind of change>&object=<words>`. Throws 400. */
export function changeFilterOf(request: ApiRequest): ChangeFilter {
  const { query } = request;
  const type = query.get("type");
  const known = Change.shape.kind.options;
  const found = known.find((one) => one === type);
  if (type && !found) throw badRequest(`type must be one of ${known.join(", ")}, not ${type}`);
  return {
    untilMs: query.has("until") ? integerQuery(request, "until", 0, Number.MAX_SAFE_INTEGER) : undefined,
    author: query.get("author") || undefined,
    type: found,
    object: (query.get("object") ?? "").toLowerCase().split(/\s+/).filter(Boolean),
  };
}

/** The change, when it is one that is asked for: what is cheap to tell is asked first. */
export function selectedChange(
  filter: ChangeFilter,
  commit: Commit,
  services: readonly MeshService[],
): Change | undefined {
  const { untilMs, author, type, object } = filter;
  if (untilMs !== undefined && commit.at > untilMs) return undefined;
  if (author !== undefined && commit.author !== author) return undefined;
  const texts = commit.changes.map(({ key }) => `${key.kind} ${key.namespace}/${key.name}`.toLowerCase());
  if (object.length > 0 && !texts.some((text) => object.every((word) => text.includes(word)))) return undefined;
  const change = toChange(commit, services);
  return type === undefined || change.kind === type ? change : undefined;
}
