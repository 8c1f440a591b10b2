import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { AttributeContext_HttpRequestSchema } from "../../../gen/proto/envoy/service/auth/v3/attribute_context_pb.js";
import { type CheckRequest, CheckRequestSchema } from "../../../gen/proto/envoy/service/auth/v3/external_auth_pb.js";
import { getHeader } from "../../http/headers.ts";
import type { Metadata, TypedMetadata } from "../../record.ts";
import { checkPeers } from "../../upstream/check-peers.ts";
import { type Shown, sanitized, shownHeaders, textOf } from "./shown-headers.ts";
import type { Question } from "./verdict.ts";

/** Of metadata in JSON's form, and of messages. */
interface Namespaces {
  readonly plain: readonly string[];
  readonly typed: readonly string[];
}

export interface CheckOptions {
  readonly shown: Shown;
  /** Whose metadata it is told. */
  readonly namespaces: Namespaces;
  readonly routeNamespaces: Namespaces;
  readonly peerCertificate: boolean;
  readonly tlsSession: boolean;
  readonly bodyAsBytes: boolean;
}

/** What the service is told: https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/auth/v3/attribute_context.proto */
export function checkRequest(question: Question, options: CheckOptions, random: () => number): CheckRequest {
  const { request } = question;
  const { connection, headers, record } = request;
  const { source, destination } = checkPeers(connection, options.peerCertificate);
  return create(CheckRequestSchema, {
    attributes: {
      source: { ...source, service: textOf(sanitized(getHeader(headers, "x-envoy-downstream-service-cluster") ?? "")) },
      destination,
      request: { time: timestampFromMs(Math.floor(question.startMs)), http: httpRequest(question, options, random) },
      contextExtensions: { ...question.contextExtensions },
      metadataContext: metadataOf(record.dynamicMetadata, record.typedMetadata, options.namespaces),
      routeMetadataContext: metadataOf(record.routeMetadata, record.routeTypedMetadata, options.routeNamespaces),
      ...(options.tlsSession && { tlsSession: { sni: connection.tls?.serverName ?? "" } }),
    },
  });
}

function httpRequest(
  question: Question,
  { shown, bodyAsBytes }: CheckOptions,
  random: () => number,
): MessageInitShape<typeof AttributeContext_HttpRequestSchema> {
  const { request, body } = question;
  const { method, path, authority, scheme, record } = request;
  const flat = shownHeaders(question, shown);
  const pairs = flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] as string] as const] : []));
  return {
    id: String(Math.floor(random() * Number.MAX_SAFE_INTEGER)),
    method,
    path: textOf(sanitized(path)),
    host: textOf(sanitized(authority)),
    scheme,
    size: BigInt(record.requestBodyBytes),
    protocol: record.protocol,
    ...(shown.raw
      ? { headerMap: { headers: pairs.map(([key, value]) => ({ key, rawValue: Buffer.from(value, "latin1") })) } }
      : { headers: Object.fromEntries(pairs.map(([name, value]) => [name, textOf(value)])) }),
    ...(body && (bodyAsBytes ? { rawBody: body.bytes } : { body: textOf(sanitized(body.bytes.toString("latin1"))) })),
  };
}

function metadataOf(plain: Metadata | undefined, typed: TypedMetadata | undefined, namespaces: Namespaces) {
  const of = <T>(metadata: Readonly<Record<string, T>> | undefined, names: readonly string[]) =>
    Object.fromEntries(
      names.flatMap((name) =>
        metadata !== undefined && Object.hasOwn(metadata, name) ? [[name, metadata[name]]] : [],
      ),
    );
  return {
    filterMetadata: of(plain, namespaces.plain) as Record<string, JsonObject>,
    typedFilterMetadata: of(typed, namespaces.typed) as TypedMetadata,
  };
}
