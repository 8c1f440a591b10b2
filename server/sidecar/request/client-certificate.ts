import {
  HttpConnectionManager_ForwardClientCertDetails as Forward,
  type HttpConnectionManager,
} from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { getJoined, removeHeader, setHeader, toWire } from "../http/headers.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";

type Detail = "cert" | "chain" | "subject" | "uri" | "dns";

/** What becomes of `x-forwarded-client-cert`, and what is said in it. */
export interface ClientCertificateOptions {
  readonly mode: "sanitize" | "forward_only" | "append_forward" | "sanitize_set" | "always_forward_only";
  /** In Envoy's order. */
  readonly details: readonly Detail[];
}

const modes: Record<Forward, ClientCertificateOptions["mode"]> = {
  [Forward.SANITIZE]: "sanitize",
  [Forward.FORWARD_ONLY]: "forward_only",
  [Forward.APPEND_FORWARD]: "append_forward",
  [Forward.SANITIZE_SET]: "sanitize_set",
  [Forward.ALWAYS_FORWARD_ONLY]: "always_forward_only",
};

export function compileClientCertificate(config: HttpConnectionManager): ClientCertificateOptions {
  const set = config.setCurrentClientCertDetails;
  if (set?.chain === true) throw new Error("set_current_client_cert_details.chain: not supported");
  const details: Detail[] = [];
  if (set?.cert === true) details.push("cert");
  if (set?.subject === true) details.push("subject");
  if (set?.uri === true) details.push("uri");
  if (set?.dns === true) details.push("dns");
  return { mode: modes[config.forwardClientCertDetails], details };
}

export const clientCertificateField = "x-forwarded-client-cert";

/**
 * Who may say which client's certificate a request came with: only a peer that has shown one of its own, and only as far as the config lets
 * it. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
 *
 * @param present whether the field was received
 */
export function forwardClientCertificate(
  headers: string[],
  present: boolean,
  tls: TlsConnection | undefined,
  options: ClientCertificateOptions,
): void {
  if (options.mode === "always_forward_only") return;
  if (options.mode === "sanitize" || tls?.peer === undefined) {
    if (present) removeHeader(headers, clientCertificateField);
    return;
  }
  if (options.mode === "forward_only") return;
  const own = detailsOf(tls, options);
  const before = options.mode === "append_forward" ? getJoined(headers, clientCertificateField) : undefined;
  const value = before === undefined ? own : `${before},${own}`;
  setHeader(headers, clientCertificateField, value);
}

/** The same for all requests of a connection, as long as its manager is. */
const made = new WeakMap<TlsConnection, { options: ClientCertificateOptions; text: string }>();

function detailsOf(tls: TlsConnection, options: ClientCertificateOptions): string {
  const known = made.get(tls);
  if (known?.options === options) return known.text;
  const text = write(tls, options.details);
  made.set(tls, { options, text });
  return text;
}

function write({ local, peer, peerCertificate }: TlsConnection, details: readonly Detail[]): string {
  const parts = (local?.uris ?? []).map((uri) => `By=${uri}`);
  parts.push(`Hash=${peer?.hash}`);
  for (const detail of details) {
    if (detail === "cert") parts.push(`Cert="${encodeURIComponent(peerCertificate?.toString() ?? "")}"`);
    else if (detail === "subject") parts.push(`Subject="${peer?.subject}"`);
    else if (detail === "uri") parts.push(...(peer?.uris.length ? peer.uris : [""]).map((uri) => `URI=${uri}`));
    else for (const name of peer?.dns ?? []) parts.push(`DNS=${name}`);
  }
  // Names come from somebody else's certificate: none of them may end the field.
  return toWire(parts.join(";").replace(/\p{Cc}/gu, ""));
}
