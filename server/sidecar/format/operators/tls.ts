import type { TlsConnection } from "../../tls/tls-connection.ts";
import { type OperatorMaker, type Operators, plain, some } from "./operator.ts";

const tls = (read: (connection: TlsConnection) => string | undefined): OperatorMaker =>
  plain(({ downstreamTls }) => downstreamTls && some(read(downstreamTls)));

const list = (values: readonly string[] | undefined): string | undefined => values?.join(",");

/** In PEM, with all but a few characters as a URL has them. */
const pem = ({ peerCertificate }: TlsConnection): string | undefined =>
  peerCertificate && encodeURIComponent(peerCertificate.toString()).replace(/[!'()*]/g, hex);
const hex = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;

const compact = (fingerprint: string | undefined): string | undefined => fingerprint?.replaceAll(":", "").toLowerCase();

export const tlsOperators: Operators = {
  DOWNSTREAM_TLS_VERSION: tls(({ version }) => version),
  DOWNSTREAM_TLS_CIPHER: tls(({ cipher }) => cipher),
  DOWNSTREAM_PEER_URI_SAN: tls(({ peer }) => list(peer?.uris)),
  DOWNSTREAM_PEER_DNS_SAN: tls(({ peer }) => list(peer?.dns)),
  DOWNSTREAM_PEER_IP_SAN: tls(({ peer }) => list(peer?.ips)),
  DOWNSTREAM_PEER_SUBJECT: tls(({ peer }) => peer?.subject),
  DOWNSTREAM_PEER_ISSUER: tls(({ peer }) => peer?.issuer),
  DOWNSTREAM_PEER_SERIAL: tls(({ peer }) => peer?.serialNumber),
  DOWNSTREAM_PEER_FINGERPRINT_256: tls(({ peer }) => peer?.hash),
  DOWNSTREAM_PEER_FINGERPRINT_1: tls(({ peerCertificate }) => compact(peerCertificate?.fingerprint)),
  DOWNSTREAM_PEER_CERT: tls(pem),
  DOWNSTREAM_LOCAL_URI_SAN: tls(({ local }) => list(local?.uris)),
  DOWNSTREAM_LOCAL_DNS_SAN: tls(({ local }) => list(local?.dns)),
  DOWNSTREAM_LOCAL_IP_SAN: tls(({ local }) => list(local?.ips)),
  DOWNSTREAM_LOCAL_SUBJECT: tls(({ local }) => local?.subject),
  // A connection whose handshake fails has no request, and a fingerprint is taken only where an inspector is told to: never here.
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: plain(() => undefined),
  TLS_JA3_FINGERPRINT: plain(() => undefined),
  TLS_JA4_FINGERPRINT: plain(() => undefined),
};
