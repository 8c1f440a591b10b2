import { type Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { credentialHeaders, type RequestContext } from "./context.ts";

export interface FetchParts {
  agent: Agent;
  context: Pick<RequestContext, "withoutCredentials">;
}

/** The global `fetch`, over an agent. Rejects as that does: with a TypeError whose `cause` says why, or with the signal's reason. */
export async function meshFetch(
  { agent, context }: FetchParts,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<Response> {
  let request = new Request(input, init);
  const first = new URL(request.url).origin;
  let isElsewhere = false;
  let body = await bodyOf(request, init);
  for (let redirects = 0; ; redirects++) {
    const go = () => send(agent, request, body);
    const answer = await (isElsewhere ? context.withoutCredentials(go) : go());
    const location = redirectStatuses.has(answer.statusCode ?? 0) ? answer.headers.location : undefined;
    if (location === undefined || request.redirect === "manual") return responseOf(answer, request.url, redirects > 0);
    answer.resume();
    if (request.redirect === "error") throw failed(new Error(`redirected to ${location}`));
    if (redirects === maxRedirects) throw failed(new Error(`more than ${maxRedirects} redirects`));
    request = redirected(request, location, answer.statusCode ?? 0, body);
    if (request.body === null) body = undefined;
    // Once elsewhere, always: what comes back from there was chosen there.
    isElsewhere ||= new URL(request.url).origin !== first;
  }
}

/** https://fetch.spec.whatwg.org/#http-redirect-fetch */
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const maxRedirects = 20;
/** What tells of a body that is not sent again. A browser sets the length itself, and so would do without. */
const ofBodies = ["content-encoding", "content-language", "content-length", "content-location", "content-type"];
/** What was meant for one origin alone. A browser has cookies and hosts by origin; here they are whatever the application wrote. */
const ofOrigins = [...credentialHeaders, "host"];
const bodiless: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

const failed = (cause: unknown): TypeError => new TypeError("fetch failed", { cause });

/** A body that was given whole goes with its length and can be sent again; a stream goes as it comes. */
async function bodyOf(request: Request, init: RequestInit | undefined): Promise<Buffer | ReadableStream | undefined> {
  if (request.body === null) return undefined;
  const given = init?.body;
  const isWhole = typeof given === "string" || ArrayBuffer.isView(given) || given instanceof URLSearchParams;
  if (isWhole || given instanceof ArrayBuffer || given instanceof FormData || given instanceof Blob) {
    return Buffer.from(await request.arrayBuffer());
  }
  return request.body as ReadableStream;
}

function send(agent: Agent, request: Request, body: Buffer | ReadableStream | undefined): Promise<IncomingMessage> {
  const { url, method, signal } = request;
  const { protocol } = new URL(url);
  if (protocol !== "http:") {
    const why = `${protocol.slice(0, -1)} is not spoken into a mesh, which does TLS itself: call http://`;
    return Promise.reject(failed(new Error(why)));
  }
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { agent, method, signal, headers: Object.fromEntries(request.headers) }, resolve);
    outgoing.on("error", (error) => reject(signal.aborted ? signal.reason : failed(error)));
    if (body === undefined) outgoing.end();
    else if (Buffer.isBuffer(body)) outgoing.setHeader("content-length", body.length).end(body);
    // What breaks on the way breaks the request, which tells of it.
    else pipeline(Readable.fromWeb(body), outgoing).catch(() => {});
  });
}

function responseOf(answer: IncomingMessage, url: string, redirected: boolean): Response {
  const headers = new Headers();
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    headers.append(answer.rawHeaders[i] ?? "", answer.rawHeaders[i + 1] ?? "");
  }
  const { statusCode: status = 0, statusMessage: statusText = "" } = answer;
  const isEmpty = bodiless.has(status);
  if (isEmpty) answer.resume();
  const body = isEmpty ? null : (Readable.toWeb(answer) as unknown as globalThis.ReadableStream);
  return Object.defineProperties(new Response(body, { status, statusText, headers }), {
    url: { value: url },
    redirected: { value: redirected },
  });
}

function redirected(request: Request, location: string, status: number, body: Buffer | ReadableStream | undefined) {
  const url = URL.parse(location, request.url);
  if (url === null) throw failed(new Error(`redirected to ${location}, which is no address`));
  const isGet = request.method === "GET" || request.method === "HEAD";
  const toGet = status === 303 ? !isGet : (status === 301 || status === 302) && request.method === "POST";
  if (!toGet && body !== undefined && !Buffer.isBuffer(body)) throw failed(new Error("a stream cannot be sent again"));
  const headers = new Headers(request.headers);
  if (toGet) for (const name of ofBodies) headers.delete(name);
  if (url.origin !== new URL(request.url).origin) for (const name of ofOrigins) headers.delete(name);
  const { signal, redirect } = request;
  return new Request(url, {
    method: toGet ? "GET" : request.method,
    headers,
    signal,
    redirect,
    ...(!toGet && Buffer.isBuffer(body) && { body: new Uint8Array(body) }),
  });
}
