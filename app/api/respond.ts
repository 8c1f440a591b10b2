import { z } from "zod";
import { toApiError } from "../../components/lib/api.ts";
import type { ApiError } from "../../server/contract/index.ts";

/** No authentication yet: everybody who reaches the loopback address is the administrator. */
export const user = "admin";

const statusOf: Record<ApiError["code"], number> = {
  INVALID: 400,
  NOT_FOUND: 404,
  CONFLICT: 409,
  FORBIDDEN: 403,
  TOO_LARGE: 413,
  UNSUPPORTED: 422,
  CONTROL_PLANE_UNREACHABLE: 503,
  TELEMETRY_UNREACHABLE: 503,
  INTERNAL: 500,
};

/** The largest body a write may have, bytes. */
const bodyLimit = 1_048_576;

/** What a handler throws to refuse a request. */
export class Refusal extends Error implements ApiError {
  readonly code: ApiError["code"];
  readonly errors?: ApiError["errors"];
  constructor(code: ApiError["code"], message: string, errors?: ApiError["errors"]) {
    super(message);
    this.code = code;
    this.errors = errors;
  }
}

/** Runs a handler; its value becomes JSON, what it throws the contract's ApiError with the status that fits. */
export async function respond(handle: () => Promise<unknown>): Promise<Response> {
  try {
    return Response.json(await handle(), { headers: { "cache-control": "no-store" } });
  } catch (cause) {
    const error = toApiError(cause);
    return Response.json(error, { status: statusOf[error.code], headers: { "cache-control": "no-store" } });
  }
}

/** Query parameters by a schema; every wrong one is named. */
export function readQuery<T>(request: Request, schema: z.ZodType<T>): T {
  return parse(schema, Object.fromEntries(new URL(request.url).searchParams));
}

/** The JSON body of a write by a schema. Only JSON is taken: a form of a foreign page cannot send it. */
export async function readBody<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  assertJson(request);
  return parse(schema, parseJson(await readText(request)));
}

/** Same origin is held by proxy.ts; here the content type, which a cross-site form cannot set without a preflight. */
export function assertJson(request: Request): void {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new Refusal("INVALID", "The body must be application/json.");
}

async function readText(request: Request): Promise<string> {
  const tooLarge = () => new Refusal("TOO_LARGE", `The body is larger than ${bodyLimit} bytes.`);
  if (Number(request.headers.get("content-length") ?? 0) > bodyLimit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > bodyLimit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal("INVALID", "The body is not JSON.");
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  throw new Refusal(
    "INVALID",
    errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; "),
    errors,
  );
}

export const WindowQuery = z.object({ window: z.coerce.number().int().min(1).max(86_400).default(60) });
const Flag = z
  .enum(["true", "false"])
  .default("false")
  .transform((value) => value === "true");
/** `envoy`: a dry run also says what the proxies would get. */
export const DryRunQuery = z.object({ dryRun: Flag, envoy: Flag });
