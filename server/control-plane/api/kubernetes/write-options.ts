import type { ConfigObject } from "../../../config/object.ts";
import type { ConfigWarning } from "../../../contract/index.ts";
import { duplicateKeys } from "../../../lib/json-duplicates.ts";
import type { FieldError } from "../../../lib/result.ts";
import { actorOf } from "../actor.ts";
import { isRecord } from "../body.ts";
import type { ApiContext } from "../context.ts";
import { validating, type WriteContext } from "../object-writer.ts";
import type { ApiRequest } from "../router.ts";
import { badRequest, conflict, StatusError } from "../status-error.ts";
import { warningHeader } from "../warnings/warning.ts";
import { protobufType } from "./protobuf.ts";
import type { Scope } from "./scope.ts";

/** How a request wants to write. */
export interface WriteOptions {
  writer: WriteContext;
  /** Warnings that came up on the way, such as fields that were left out. */
  warnings: ConfigWarning[];
}

/**
 * `fieldManager` and `fieldValidation`. Fields that a kind has not are refused (Strict), left out with a warning (Warn), or left out (Ignore);
 * nothing is stored of them. A client that says nothing means Warn, as with kube-apiserver; in server-side apply Strict, since an apply of
 * fields that are not declared is refused there, too. kubectl says Strict. docs/decisions/0019-unknown-fields.md
 */
export function writeOptions(context: ApiContext, request: ApiRequest, scope: Scope): WriteOptions {
  const warnings: ConfigWarning[] = [];
  const writer: WriteContext = { ...validating(context), manager: actorOf(request).manager, version: scope.version };
  const wanted = fieldValidation(request);
  if (wanted !== "Strict") {
    writer.onUnknownFields = (errors: readonly FieldError[]) => {
      if (wanted === "Ignore") return;
      const { kind } = scope.definition;
      const at = { kind, namespace: scope.namespace ?? "", name: scope.name ?? "", path: "" };
      const known = new Set(warnings.map(({ message }) => message)); // a second try would say it again
      for (const { path } of errors) {
        const message = `unknown field ${JSON.stringify(path)}`;
        if (!known.has(message)) warnings.push({ ...at, message });
      }
    };
  }
  return { writer, warnings };
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation. Throws 400 on a word that is none of the three. */
function fieldValidation(request: ApiRequest): "Strict" | "Warn" | "Ignore" {
  const wanted = request.query.get("fieldValidation") || undefined;
  if (wanted === undefined) return request.contentType === applyPatchType ? "Strict" : "Warn";
  if (wanted === "Strict" || wanted === "Warn" || wanted === "Ignore") return wanted;
  const values = `supported values: "Ignore", "Strict", "Warn"`;
  throw badRequest(`fieldValidation: Unsupported value: ${JSON.stringify(wanted)}: ${values}`);
}

/**
 * A field that stands twice, of which the last would count: refused, warned of or passed over like an unknown one. For bodies that were read
 * without an error; in YAML no key may stand twice.
 */
export function noteDuplicates(request: ApiRequest, scope: Scope, { warnings }: WriteOptions): void {
  const wanted = fieldValidation(request);
  const text = wanted === "Ignore" || request.contentType === protobufType ? "" : request.body.toString("utf8");
  if (!/^\s*[{[]/.test(text) || !isJson(text, request.contentType)) return;
  const found = duplicateKeys(text).map((path) => `duplicate field ${JSON.stringify(path)}`);
  if (found.length === 0) return;
  if (wanted === "Strict") throw badRequest(`strict decoding error: ${found.join(", ")}`);
  const at = { kind: scope.definition.kind, namespace: scope.namespace ?? "", name: scope.name ?? "", path: "" };
  warnings.push(...found.map((message) => ({ ...at, message })));
}

/** A write whose warnings are told, too, when it fails: what was left out may be why. */
export async function warned<T>({ warnings }: WriteOptions, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof StatusError) || warnings.length === 0) throw error;
    throw error.withHeaders(warningHeader(warnings));
  }
}

/** What begins with a brace may still be YAML's flow style. */
function isJson(text: string, contentType: string): boolean {
  if (!contentType.endsWith("yaml")) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The media type of a server-side apply. */
export const applyPatchType = "application/apply-patch+yaml";

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
