import { userInfo } from "node:os";
import { Option } from "commander";
import { ApiError } from "../../contract/index.ts";
import { meshPorts, parsePortOffset } from "../../fleet/ports.ts";
import { howToComeIn, tokenFromEnv } from "../credentials.ts";
import { CliError, type CliIo } from "./io.ts";

export interface ServerOption {
  server?: string;
  portOffset?: string;
}

export const serverOption = (): Option =>
  new Option(
    "--server <url>",
    "address of the control plane's config API (default: LIMPID_SERVER, or http://127.0.0.1:15014 moved by the offset)",
  ).conflicts("portOffset");

/** Says which of this machine's meshes is meant. */
export const portOffsetOption = (): Option =>
  new Option("--port-offset <n>", "added to every port (LIMPID_PORT_OFFSET)");

/** What is typed goes before what the environment says. Throws a CliError when the address or the offset makes no sense. */
export function serverUrl({ server, portOffset }: ServerOption, env: CliIo["env"]): string {
  const named = server ?? (portOffset === undefined ? env.LIMPID_SERVER : undefined);
  const address = named || `http://127.0.0.1:${configPort(portOffset ?? env.LIMPID_PORT_OFFSET)}`;
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new CliError(`error: ${address} is no http address of a server`);
  return url.origin;
}

function configPort(offset: string | undefined): number {
  try {
    return meshPorts(parsePortOffset(offset)).configApi;
  } catch (error) {
    throw new CliError(`error: ${error instanceof Error ? error.message : error}`);
  }
}

/** Who is at the keyboard; undefined where the system doesn't say. Shells of containers and jobs often have no variable of it. */
export const userOf = (env: CliIo["env"]): string | undefined =>
  env.LIMPID_USER || env.USER || env.LOGNAME || env.USERNAME || accountName();

function accountName(): string | undefined {
  try {
    return userInfo().username || undefined;
  } catch {
    // A process may run as a number that no account has.
    return undefined;
  }
}

export interface Call {
  method?: string;
  /** Sent as JSON. */
  body?: unknown;
  accept?: string;
  /** Author in the history. */
  user?: string | undefined;
  signal?: AbortSignal;
  /** By which the caller is known; default: LIMPID_TOKEN. */
  token?: string | undefined;
  /** Who is asked, for the error when nobody answers. */
  who?: string;
  /** How long the answer may take to begin. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 30_000;

/** A failed call, in the server's words. */
export class CallError extends CliError {
  readonly code: number;
  /** Field by field, when the server named fields. */
  readonly errors: readonly { path: string; message: string }[];
  constructor(code: number, message: string, errors: readonly { path: string; message: string }[]) {
    super(`error: ${message}`);
    this.code = code;
    this.errors = errors;
  }
}

/** Throws a CliError when the server can't be reached, a CallError when it answers with one. */
export async function call(server: string, path: string, options: Call = {}): Promise<Response> {
  const { method = "GET", body, user, accept = "application/json", signal, timeoutMs = defaultTimeoutMs } = options;
  const { who = "control plane", token = tokenFromEnv(server, process.env) } = options;
  let response: Response;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), timeoutMs);
  try {
    response = await fetch(new URL(path, server), {
      method,
      headers: {
        accept,
        "user-agent": "limpid-cli",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(user === undefined ? {} : { "x-limpid-user": encodeURIComponent(user) }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (silence.signal.aborted) throw new CliError(`error: ${server} gave no answer within ${timeoutMs / 1000} s`);
    throw new CliError(`error: no ${who} answers at ${server} (${reasonOf(error)}); is the mesh running?`);
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return response;
  throw await toCallError(response);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = (cause as NodeJS.ErrnoException).code;
  return code === "ECONNREFUSED" ? "connection refused" : cause.message || String(code);
}

/** What the server says beside its answer, in HTTP's `Warning` header. */
export const warningsIn = (response: Response): string[] =>
  [...(response.headers.get("warning") ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(.)/g, "$1"),
  );

/** Both forms of error that the config API has. */
async function toCallError(response: Response): Promise<CallError> {
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = ApiError.safeParse(body);
  if (parsed.success && response.status === 401)
    return new CallError(401, `${parsed.data.message}; ${howToComeIn}`, []);
  if (parsed.success) return new CallError(response.status, parsed.data.message, parsed.data.errors ?? []);
  const message = typeof body === "object" && body !== null && "message" in body ? String(body.message) : undefined;
  return new CallError(response.status, message ?? `${response.status} ${response.statusText}`, []);
}
