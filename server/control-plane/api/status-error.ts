import type { Told } from "../../contract/index.ts";
import type { FieldError } from "../../lib/result.ts";

/** One cause of a failed call, as in a Kubernetes Status' `details.causes`. */
export interface StatusCause {
  reason: string;
  message: string;
  field?: string;
}

/** By which Limpid's API tells it, so that pages can say it in other languages. */
export type ToldParts = Pick<Told, "reason" | "params">;

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

interface StatusErrorMore {
  /** The whole. */
  told?: ToldParts;
  /** Field by field. */
  fields?: readonly FieldError[];
}

/**
 * A failed call. It is born where the failure occurs and becomes a response at exactly two edges: a Kubernetes Status under
 * `/api` and `/apis`, an ApiError under `/limpid`. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export class StatusError extends Error {
  /** The HTTP status code. */
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** What the response's head says of it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly told: ToldParts;
  readonly fields: readonly FieldError[] | undefined;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: StatusDetails,
    headers: Readonly<Record<string, string>> = {},
    { told = {}, fields }: StatusErrorMore = {},
  ) {
    super(message);
    this.told = told;
    this.fields = fields;
    this.headers = headers;
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  withHeaders(headers: Readonly<Record<string, string>>): StatusError {
    const more = { told: this.told, ...(this.fields && { fields: this.fields }) };
    return new StatusError(this.code, this.reason, this.message, this.details, { ...this.headers, ...headers }, more);
  }
}

/** What error texts call a resource: `virtualservices.networking.istio.io`, or `services` in the core group. */
export interface ResourceName {
  plural: string;
  group: string;
  kind: string;
}

const qualified = (head: string, group: string): string => (group ? `${head}.${group}` : head);

const detailsOf = (resource: ResourceName, name: string): StatusDetails => ({
  name,
  ...(resource.group ? { group: resource.group } : {}),
  kind: resource.plural,
});

export const notFound = (resource: ResourceName, name: string): StatusError =>
  new StatusError(
    404,
    "NotFound",
    `${qualified(resource.plural, resource.group)} "${name}" not found`,
    detailsOf(resource, name),
  );

export const alreadyExists = (resource: ResourceName, name: string): StatusError =>
  new StatusError(
    409,
    "AlreadyExists",
    `${qualified(resource.plural, resource.group)} "${name}" already exists`,
    detailsOf(resource, name),
  );

export const conflict = (resource: ResourceName, name: string, why?: string): StatusError =>
  new StatusError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(resource.plural, resource.group)} "${name}": ${
      why ?? "the object has been modified; please apply your changes to the latest version and try again"
    }`,
    detailsOf(resource, name),
  );

export const forbidden = (resource: ResourceName, name: string, why: string): StatusError =>
  new StatusError(
    403,
    "Forbidden",
    `${qualified(resource.plural, resource.group)} "${name}" is forbidden: ${why}`,
    detailsOf(resource, name),
  );

/** Whoever has more wrong than this mends some first. */
export const maxCauses = 200;

/** Every wrong field at once, each as one cause: kubectl prints them as a list. */
export function invalid(resource: ResourceName, name: string, errors: readonly FieldError[]): StatusError {
  const shown = errors.slice(0, maxCauses);
  const texts = shown.map((error) => (error.path ? `${error.path}: ${error.message}` : error.message));
  if (errors.length > shown.length) texts.push(`and ${errors.length - shown.length} more`);
  const joined = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  return new StatusError(
    422,
    "Invalid",
    `${qualified(resource.kind, resource.group)} "${name}" is invalid: ${joined}`,
    {
      name,
      ...(resource.group ? { group: resource.group } : {}),
      kind: resource.kind,
      causes: shown.map((error) => ({ reason: causeReason(error), message: error.message, field: error.path })),
    },
    {},
    { fields: shown },
  );
}

/** Kubernetes' names for the ways in which a field can be wrong, by Limpid's own, of which it has more. */
function causeReason({ reason = "" }: FieldError): string {
  if (/^(field-)?required\b/.test(reason)) return "FieldValueRequired";
  if (reason.startsWith("field-unknown")) return "FieldValueForbidden";
  if (/^(one-of|not-yet|value-not-yet|only-so-far|external-name|unix-socket|kind-unknown)\b/.test(reason))
    return "FieldValueNotSupported";
  return reason.startsWith("must-be-") ? "FieldValueTypeInvalid" : "FieldValueInvalid";
}

/** A failure of Limpid's own API that pages have words for. */
export const saidError = (code: number, reason: string, { message, ...told }: Told): StatusError =>
  new StatusError(code, reason, message, undefined, {}, { told });

export const badRequest = (message: string): StatusError => new StatusError(400, "BadRequest", message);

export const noSuchResource = (): StatusError =>
  new StatusError(404, "NotFound", "the server could not find the requested resource");

/** `allowed` goes into the Allow header, as RFC 9110 §15.5.6 wants it. */
export const methodNotAllowed = (allowed: readonly string[]): StatusError =>
  new StatusError(
    405,
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    undefined,
    { allow: allowed.join(", ") },
  );

export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );

export const tooLarge = (limitBytes: number): StatusError =>
  new StatusError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);

export const expired = (message: string): StatusError => new StatusError(410, "Expired", message);

export const tooManyRequests = (message: string): StatusError =>
  new StatusError(429, "TooManyRequests", message, { retryAfterSeconds: 1 }, { "retry-after": "1" });

/** The wire form. */
export const toStatus = (error: StatusError): Record<string, unknown> => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message: error.message,
  reason: error.reason,
  ...(error.details ? { details: error.details } : {}),
  code: error.code,
});
