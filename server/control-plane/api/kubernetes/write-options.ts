import type { ConfigObject } from "../../../config/object.ts";
import type { ConfigWarning } from "../../../contract/index.ts";
import type { FieldError } from "../../../lib/result.ts";
import { actorOf } from "../actor.ts";
import { isRecord } from "../body.ts";
import type { ApiContext } from "../context.ts";
import type { WriteContext } from "../object-writer.ts";
import type { ApiRequest } from "../router.ts";
import { badRequest, conflict } from "../status-error.ts";
import type { Scope } from "./scope.ts";

/** How a request wants to write. */
export interface WriteOptions {
  writer: WriteContext;
  /** Warnings that came up on the way, such as fields that were left out. */
  warnings: ConfigWarning[];
}

/**
 * `fieldManager` and `fieldValidation`. Unknown fields are refused (Strict, and when a client says nothing: they would be stored nowhere and
 * do nothing), left out with a warning (Warn), or left out (Ignore). https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
 */
export function writeOptions(context: ApiContext, request: ApiRequest, scope: Scope): WriteOptions {
  const warnings: ConfigWarning[] = [];
  const writer: WriteContext = { clock: context.clock, manager: actorOf(request).manager, version: scope.version };
  const wanted = request.query.get("fieldValidation") ?? "";
  if (!["", "Strict", "Warn", "Ignore"].includes(wanted)) {
    const values = `supported values: "Ignore", "Strict", "Warn"`;
    throw badRequest(`fieldValidation: Unsupported value: ${JSON.stringify(wanted)}: ${values}`);
  }
  if (wanted === "Warn" || wanted === "Ignore") {
    writer.onUnknownFields = (errors: readonly FieldError[]) => {
      if (wanted === "Ignore" || warnings.length > 0) return; // a second try would say it again
      const { kind } = scope.definition;
      const at = { kind, namespace: scope.namespace ?? "", name: scope.name ?? "", path: "" };
      for (const { path } of errors) warnings.push({ ...at, message: `unknown field ${JSON.stringify(path)}` });
    };
  }
  return { writer, warnings };
}

export const versionOf = (body: Record<string, unknown>): string | undefined => {
  const version = isRecord(body.metadata) ? body.metadata.resourceVersion : undefined;
  return typeof version === "string" && version !== "" ? version : undefined;
};

/** What the client believes of the object must be so. */
export function checkPreconditions(scope: Scope, body: Record<string, unknown>, existing: ConfigObject): void {
  const metadata = body.metadata as Record<string, unknown>;
  const { name, uid, resourceVersion } = existing.metadata;
  if (metadata.uid && metadata.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${String(metadata.uid)}, UID in object meta: ${uid}`;
    throw conflict(scope.definition, name, why);
  }
  const version = versionOf(body);
  if (version !== undefined && version !== resourceVersion) throw conflict(scope.definition, name);
}
