import { type KindDefinition, withSpec } from "../../config/kind.ts";
import { isUnknownField } from "../../config/kinds/schema.ts";
import type { ConfigObject } from "../../config/object.ts";
import type { Clock } from "../../lib/clock.ts";
import { type FieldError, fail } from "../../lib/result.ts";
import { parsePath } from "../../wire/field-path.ts";
import { isRecord } from "./body.ts";
import { brokenMessages } from "./broken-messages.ts";
import type { ApiContext } from "./context.ts";
import { apiVersionOf } from "./kind-index.ts";
import { decodeManagedFields, encodeManagedFields, type Owner } from "./ownership/managed-fields.ts";
import { serverSideApply } from "./ownership/server-side-apply.ts";
import { trackUpdate, type Writer } from "./ownership/track-update.ts";
import { invalid, StatusError } from "./status-error.ts";

type Plain = Record<string, unknown>;

export interface WriteContext {
  clock: Clock;
  /** Field manager. */
  manager: string;
  /** The version that the client speaks. */
  version: string;
  /** Unset: an unknown field is an error. Else such fields are left out, and told here. */
  onUnknownFields?: (errors: readonly FieldError[]) => void;
  /** Told of each object that was looked at, whether it is valid. */
  onValidated?: ApiContext["validated"];
}

/** What every writer takes from the API that it is part of. */
export const validating = ({
  clock,
  validated,
}: Pick<ApiContext, "clock" | "validated">): Pick<WriteContext, "clock" | "onValidated"> => ({
  clock,
  ...(validated && { onValidated: validated }),
});

/**
 * The object to store for a create, replace or patch: parsed, without metadata that only the server
 * writes, and with field ownership kept. `candidate` is in the client's form. Throws 422 with every wrong field.
 */
export function prepareUpdate(
  kind: KindDefinition,
  candidate: Plain,
  existing: ConfigObject | undefined,
  context: WriteContext,
): ConfigObject {
  const object = parseObject(kind, candidate, context);
  const sent = isRecord(candidate.metadata) ? decodeManagedFields(candidate.metadata.managedFields) : undefined;
  const owners = sent ?? ownersOf(existing);
  return withOwners(object, trackUpdate(owners, existing, object, writerOf(kind, context)));
}

/** The object to store for a server-side apply. Throws 409 with every field conflict, 422 with every wrong field. */
export function prepareApply(
  kind: KindDefinition,
  wanted: Plain,
  existing: ConfigObject | undefined,
  context: WriteContext & { force: boolean },
): ConfigObject {
  const identity = { apiVersion: wanted.apiVersion, kind: wanted.kind };
  const live: Plain = existing ? { ...existing } : identity;
  const outcome = serverSideApply(
    live,
    ownersOf(existing),
    knownPart(kind, withSpec(kind, wanted), context),
    writerOf(kind, context),
    context.force,
  );
  if (!outcome.ok) throw applyConflict(outcome.conflicts);
  return withOwners(parseObject(kind, { ...outcome.object, ...identity }, context), outcome.owners);
}

/** What an apply owns: a field that isn't stored is nobody's. */
function knownPart(kind: KindDefinition, wanted: Plain, { onUnknownFields }: WriteContext): Plain {
  if (onUnknownFields === undefined) return wanted;
  const result = kind.parse(clientForm(wanted)); // what it lacks may stand in the object already: only the unknown counts
  return (result.ok ? undefined : withoutUnknown(wanted, result.errors, onUnknownFields)) ?? wanted;
}

function parseObject(kind: KindDefinition, candidate: Plain, context: WriteContext): ConfigObject {
  const { onUnknownFields, onValidated, version } = context;
  const first = kind.parse(clientForm(candidate));
  const known = first.ok || !onUnknownFields ? undefined : withoutUnknown(candidate, first.errors, onUnknownFields);
  const parsed = known === undefined ? first : kind.parse(clientForm(known));
  const broken = parsed.ok ? brokenMessages(parsed.value) : [];
  const result = broken.length > 0 ? fail(...broken) : parsed;
  onValidated?.({ group: kind.group, version, plural: kind.plural }, result.ok);
  if (result.ok) return result.value as ConfigObject;
  const name = isRecord(candidate.metadata) ? String(candidate.metadata.name ?? "") : "";
  throw invalid(kind, name, result.errors);
}

/** Whoever has more than these has another kind of object, and taking them all out would hold up everybody else. */
const maxUnknownFields = 1_000;

/** The document without the fields that are not known, of which `tell` hears; undefined when there are none, or too many. */
function withoutUnknown(
  document: Plain,
  errors: readonly FieldError[],
  tell: (errors: readonly FieldError[]) => void,
): Plain | undefined {
  const unknown = errors.filter(isUnknownField);
  if (unknown.length === 0 || unknown.length > maxUnknownFields) return undefined;
  tell(unknown);
  const paths = unknown.map(({ path }) => parsePath(path));
  return withoutFields(document, paths) as Plain;
}

/** Without a status, which is written at /status only, as in Kubernetes. */
function clientForm({ status: _, ...rest }: Plain): Plain {
  return { ...rest, metadata: clientMetadata(rest.metadata) };
}

/** Without what only the server writes. */
function clientMetadata(metadata: unknown): unknown {
  if (!isRecord(metadata)) return metadata;
  const { uid: _u, resourceVersion: _r, generation: _g, creationTimestamp: _c, managedFields: _m, ...rest } = metadata;
  return rest;
}

/** The store sets uid, version, generation and creation time. */
const withOwners = (object: ConfigObject, owners: readonly Owner[]): ConfigObject => ({
  ...object,
  metadata: { ...object.metadata, managedFields: encodeManagedFields(owners) },
});

const ownersOf = (object: ConfigObject | undefined): Owner[] =>
  decodeManagedFields(object?.metadata.managedFields) ?? [];

const writerOf = (kind: KindDefinition, context: WriteContext): Writer => ({
  manager: context.manager,
  apiVersion: apiVersionOf(kind.group, context.version),
  time: toTimestamp(context.clock.now()),
});

/** RFC 3339 to the second, as Kubernetes writes times. */
const toTimestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

function applyConflict(
  conflicts: readonly { manager: string; operation: string; apiVersion: string; field: string }[],
) {
  const plural = conflicts.length === 1 ? "conflict" : "conflicts";
  const causes = conflicts.map(({ manager, apiVersion, field }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${JSON.stringify(manager)} using ${apiVersion}`,
    field,
  }));
  const texts = causes.map((cause) => `${cause.message}: ${cause.field}`);
  return new StatusError(409, "Conflict", `Apply failed with ${conflicts.length} ${plural}: ${texts.join(", ")}`, {
    causes,
  });
}

/** A copy without what stands at the paths. */
function withoutFields(value: unknown, paths: readonly (readonly (string | number)[])[]): unknown {
  if (paths.length === 0 || typeof value !== "object" || value === null) return value;
  const byKey = Map.groupBy(paths, ([key]) => String(key));
  const inner = ([key, child]: [string, unknown]): [string, unknown][] => {
    const below = byKey.get(key)?.map((path) => path.slice(1)) ?? [];
    return below.some((path) => path.length === 0) ? [] : [[key, withoutFields(child, below)]];
  };
  if (Array.isArray(value)) return value.flatMap((child, index) => inner([String(index), child]).map(([, one]) => one));
  return Object.fromEntries(Object.entries(value).flatMap(inner));
}
