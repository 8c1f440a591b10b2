import { create } from "@bufbuild/protobuf";
import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  HeaderValueOptionSchema,
} from "../../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { HttpService } from "../../../gen/proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { at, each, together } from "../../config/problems.ts";
import { durationMs } from "../../duration.ts";
import { toWire } from "../../http/headers.ts";
import type { FilterIo } from "../../request/filter.ts";
import { applyHeaderOps, compileAdd, type HeaderOp } from "../../route/header-ops.ts";
import type { TextTest } from "../../text/string-matcher.ts";
import { type CallFailure, type CallResponse, call } from "../../upstream/call.ts";
import { type HttpTarget, httpTarget } from "../../upstream/http-target.ts";
import type { Ask } from "./service.ts";
import { compileList, type Shown, shownHeaders } from "./shown-headers.ts";
import { type Change, noVerdict, type Question, type Verdict } from "./verdict.ts";

interface Options {
  readonly target: HttpTarget;
  readonly prefix: string;
  readonly shown: Shown;
  readonly added: readonly HeaderOp[];
  /** Fields of the answer, by where they go. */
  readonly toUpstream: TextTest | undefined;
  readonly toUpstreamAppended: TextTest | undefined;
  readonly toClient: TextTest | undefined;
  readonly toClientOnSuccess: TextTest | undefined;
  readonly toMetadata: TextTest | undefined;
  readonly retries: number;
}

/** Asks with a request like that of the client. Throws an Error naming the field. */
export function compileHttpService(config: HttpService, shown: Shown): Ask {
  const { authorizationRequest: asking, authorizationResponse: answer } = config;
  const lists = together<
    Pick<Options, "toUpstream" | "toUpstreamAppended" | "toClient" | "toClientOnSuccess" | "toMetadata"> & {
      allowed: TextTest | undefined;
    }
  >({
    allowed: () => at("authorization_request.allowed_headers", () => compileList(asking?.allowedHeaders)),
    toUpstream: () =>
      at("authorization_response.allowed_upstream_headers", () => compileList(answer?.allowedUpstreamHeaders)),
    toUpstreamAppended: () =>
      at("authorization_response.allowed_upstream_headers_to_append", () =>
        compileList(answer?.allowedUpstreamHeadersToAppend),
      ),
    toClient: () =>
      at("authorization_response.allowed_client_headers", () => compileList(answer?.allowedClientHeaders)),
    toClientOnSuccess: () =>
      at("authorization_response.allowed_client_headers_on_success", () =>
        compileList(answer?.allowedClientHeadersOnSuccess),
      ),
    toMetadata: () =>
      at("authorization_response.dynamic_metadata_from_headers", () => compileList(answer?.dynamicMetadataFromHeaders)),
  });
  if (config.pathPrefix !== "" && !config.pathPrefix.startsWith("/")) throw new Error("path_prefix: must begin with /");
  const allowed = shown.allowed ?? lists.allowed;
  const options: Options = {
    target: at("server_uri", () => httpTarget(config.serverUri)),
    prefix: toWire(config.pathPrefix),
    shown: { ...shown, allowed: (name) => always.has(name) || allowed?.(name) === true },
    added: each("authorization_request.headers_to_add", asking?.headersToAdd ?? [], (header) =>
      compileAdd(create(HeaderValueOptionSchema, { header, appendAction: AppendAction.OVERWRITE_IF_EXISTS_OR_ADD })),
    ),
    ...lists,
    retries: config.retryPolicy === undefined ? 0 : (config.retryPolicy.numRetries ?? 1),
  };
  const backOffMs = durationMs(config.retryPolicy?.retryBackOff?.baseInterval) ?? 25;
  return (question, io, done) => retrying(question, options, io, backOffMs, done);
}

/** What is shown whatever the lists say. */
const always = new Set(["authorization", ":method", ":path", ":authority"]);

function retrying(
  question: Question,
  options: Options,
  io: FilterIo,
  backOffMs: number,
  done: (verdict: Verdict) => void,
): () => void {
  let attempt = 0;
  let cancel = () => {};
  const tryOnce = (): void => {
    cancel = askOnce(question, options, io, (result) => {
      const bad = typeof result === "string" || result.status >= 500;
      if (!bad || attempt++ >= options.retries) {
        done(typeof result === "string" ? noVerdict : verdictOf(result, options));
        return;
      }
      const timer = setTimeout(tryOnce, io.random() * backOffMs * (2 ** attempt - 1));
      cancel = () => clearTimeout(timer);
    });
  };
  tryOnce();
  return () => cancel();
}

function askOnce(
  question: Question,
  { target, prefix, shown, added }: Options,
  io: FilterIo,
  done: (result: CallResponse | CallFailure) => void,
): () => void {
  const cluster = io.clusters.get(target.cluster);
  if (cluster === undefined) {
    done("no cluster");
    return () => {};
  }
  const { request, body } = question;
  const length = body?.bytes.length ?? 0;
  const all = shownHeaders(question, shown);
  const headers = ["content-length", String(length), ...all.filter((_, at) => !isOwn(all[at & ~1] as string))];
  applyHeaderOps(added, headers, request.record);
  const head = {
    method: request.method,
    path: prefix + request.path,
    authority: request.authority,
    scheme: request.scheme,
    headers,
    contentLength: length,
    upgrade: "",
    bytes: 0,
  };
  const bytes = length === 0 ? [] : [body?.bytes ?? Buffer.alloc(0)];
  return call(cluster, { head, body: bytes, timeoutMs: target.timeoutMs, maxBytes, done });
}

/** Said by the head itself, or of this hop alone. */
const isOwn = (name: string): boolean =>
  name.startsWith(":") || name === "content-length" || name === "transfer-encoding";

const maxBytes = 1024 * 1024;

function verdictOf({ status, headers, body }: CallResponse, options: Options): Verdict {
  if (status >= 500) return noVerdict;
  const { toUpstream, toUpstreamAppended, toClient, toClientOnSuccess, toMetadata } = options;
  const those = (test: TextTest | undefined, how: Change["how"]): Change[] =>
    test === undefined
      ? []
      : headers.flatMap((name, at) =>
          at % 2 === 0 && name !== removals && test(name) ? [{ name, value: headers[at + 1] as string, how }] : [],
        );
  const metadata = Object.fromEntries(those(toMetadata, "set").map(({ name, value }) => [name, value]));
  if (status !== 200) {
    const shown =
      toClient === undefined ? (name: string) => name !== "host" : (name: string) => toClient(name) || told.has(name);
    return { kind: "denied", status, body: body.toString("latin1"), headers: those(shown, "add"), metadata };
  }
  const remove = headers.flatMap((name, at) =>
    at % 2 === 0 && name === removals ? (headers[at + 1] ?? "").split(",") : [],
  );
  return {
    kind: "allowed",
    request: [...those(toUpstream, "set"), ...those(toUpstreamAppended, "add")],
    remove: remove.map((name) => name.trim().toLowerCase()).filter((name) => name !== ""),
    response: those(toClientOnSuccess, "add"),
    parametersToSet: [],
    parametersToRemove: [],
    metadata,
  };
}

const removals = "x-envoy-auth-headers-to-remove";
/** What a client is told of a refusal, whatever the list says. */
const told = new Set(["content-length", "www-authenticate", "location"]);
