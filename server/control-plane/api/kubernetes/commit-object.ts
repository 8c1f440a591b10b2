import { type ConfigObject, keyOf } from "../../../config/object.ts";
import { type ConfigChange, ConflictError, NotFoundError } from "../../../config/store.ts";
import type { ConfigWarning } from "../../../contract/index.ts";
import { actorOf } from "../actor.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { alreadyExists, conflict, notFound } from "../status-error.ts";
import { warningHeader, warningsFor } from "../warnings/index.ts";
import { present } from "./present.ts";
import { tableOptions } from "./read.ts";
import { existingObject, isDryRun, type Scope } from "./scope.ts";
import { toTable } from "./table.ts";

/** What a write came to: the object as it is answered, and what it changed, or would. */
export interface Stored {
  object: ConfigObject;
  changes: ConfigChange[];
}

export async function put(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  object: ConfigObject,
  expect: string | undefined,
): Promise<Stored> {
  const dryRun = isDryRun(request.query.getAll("dryRun"));
  const { author } = actorOf(request);
  const write = { op: "put" as const, object, ...(expect === undefined ? {} : { expect }) };
  try {
    const commit = await context.store.commit([write], author, { dryRun });
    const [change] = commit.changes;
    if (change?.after === undefined) {
      const same = await existingObject(context, { ...scope, name: object.metadata.name });
      return { object: same, changes: [{ type: "MODIFIED", key: keyOf(same), before: same, after: same }] };
    }
    const shown = dryRun ? atVersion(change.after, change.before?.metadata.resourceVersion) : change.after;
    return { object: shown, changes: commit.changes };
  } catch (error) {
    if (error instanceof ConflictError) {
      if (expect === "absent") throw alreadyExists(scope.definition, object.metadata.name);
      throw conflict(scope.definition, object.metadata.name);
    }
    if (error instanceof NotFoundError) throw notFound(scope.definition, object.metadata.name);
    throw error;
  }
}

/** A dry run gives out no version: the object keeps the one it has, and `kubectl diff` shows none that nobody asked about. */
function atVersion(object: ConfigObject, resourceVersion: string | undefined): ConfigObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata: resourceVersion === undefined ? metadata : { ...metadata, resourceVersion } };
}

export async function respond(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  status: number,
  { object, changes }: Stored,
  warnings: readonly ConfigWarning[] = [],
): Promise<ApiResponse> {
  const headers = warningHeader([
    ...warnings.map((warning) => ({ ...warning, ...keyOf(object) })),
    ...(await warningsFor(context, changes)),
  ]);
  const table = tableOptions(request, object.metadata.resourceVersion ?? "");
  return { status, headers, body: table ? toTable(scope, [object], table, context.clock) : present(scope, object) };
}
