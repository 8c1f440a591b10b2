import { keyOf } from "../../../config/object.ts";
import { toYaml } from "../../../config/to-yaml.ts";
import { type MeshExport, told } from "../../../contract/index.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest, notFound, type StatusError, saidError } from "../status-error.ts";
import { answerChange } from "./change-result.ts";
import { restoreReason } from "./change-summary.ts";
import { checkNamespaces } from "./history.ts";
import { isSelected, type Moment, meshAt, type Selection, writesBackTo } from "./mesh-at.ts";
import { integerQuery, isDryRunQuery, limpidActor } from "./request.ts";
import { commitWrites } from "./transactions.ts";

/** `GET /limpid/v1/mesh[?revision=<n>|?at=<unix ms>][&kind=][&namespace=][&name=]`: the configuration in force, or as it was, as people write it. */
export async function exportMesh(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const moment = momentOf(request) ?? { revision: await context.store.revision() };
  const { objects, revision } = await meshAt(context.store, moment);
  const selection = selectionOf(context, request);
  const selected = [...objects.values()].filter((object) => isSelected(selection, keyOf(object)));
  const body: MeshExport = {
    revision,
    objects: selected.map((object) => ({ ...keyOf(object), yaml: toYaml(object) })),
  };
  return { status: 200, body };
}

/**
 * `POST /limpid/v1/mesh/restore?revision=<n>|at=<unix ms>[&kind=][&namespace=][&name=][&dryRun=true]`: makes the mesh, or the selected objects, as
 * they were, in one commit that the history has and an undo takes back. Throws 404 and 410 as `meshAt`, 409 when somebody writes meanwhile.
 */
export async function restoreMesh(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const moment = momentOf(request);
  if (moment === undefined) throw badRequest("say which mesh is meant: revision=<number> or at=<unix milliseconds>");
  const selection = selectionOf(context, request);
  const then = await meshAt(context.store, moment);
  const isKnown = [...then.objects.values(), ...then.now.values()].some((object) =>
    isSelected(selection, keyOf(object)),
  );
  if (!isKnown && selection.name !== undefined) throw nothingSelected(context, selection, then.revision);
  const writes = writesBackTo(then, selection);
  await checkNamespaces(context, writes);
  const { author } = limpidActor(request);
  const dryRun = isDryRunQuery(request);
  const planned = await commitWrites(context, writes, author, { dryRun: true, reason: undefined });
  const reason = restoreReason(then.revision, planned.changes);
  const done = dryRun ? planned : await commitWrites(context, writes, author, { dryRun, reason });
  return answerChange(context, request, done, { dryRun });
}

function nothingSelected(context: ApiContext, { kind = "", name = "" }: Selection, revision: number): StatusError {
  const definition = context.kinds.byKind(kind);
  if (definition) return notFound(definition, name);
  return saidError(404, "NotFound", told("nothing-named", { name, revision }));
}

/** Throws 400 when both are said. */
function momentOf(request: ApiRequest): Moment | undefined {
  const [hasRevision, hasTime] = [request.query.has("revision"), request.query.has("at")];
  if (hasRevision && hasTime) throw badRequest("revision and at exclude each other");
  if (hasRevision) return { revision: integerQuery(request, "revision", 0, Number.MAX_SAFE_INTEGER) };
  return hasTime ? { at: integerQuery(request, "at", 0, Number.MAX_SAFE_INTEGER) } : undefined;
}

/** Throws 400 for a kind that there isn't. */
function selectionOf({ kinds }: ApiContext, { query }: ApiRequest): Selection {
  const kind = query.get("kind");
  if (kind !== null && kinds.byKind(kind) === undefined) {
    throw badRequest(`kind ${kind} is not supported; the kinds are ${kinds.all.map((one) => one.kind).join(", ")}`);
  }
  const [namespace, name] = [query.get("namespace"), query.get("name")];
  return { ...(kind !== null && { kind }), ...(namespace !== null && { namespace }), ...(name !== null && { name }) };
}
