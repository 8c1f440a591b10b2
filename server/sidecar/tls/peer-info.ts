import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type TLSProperties_CertificatePropertiesSchema as CertificatePropertiesSchema,
  TLSPropertiesSchema,
  TLSProperties_TLSVersion as TlsVersion,
} from "../../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import type { Certificate } from "./certificate.ts";
import { namesOf } from "./san-matcher.ts";

/** What is known of a client's TLS connection; the same for each of its requests, so worked out once. */
export interface TlsInfo {
  /** `TLSv1.3` */
  readonly version: string;
  /** By the standard's name. */
  readonly cipher: string;
  readonly serverName: string;
  readonly localUris: readonly string[];
  /** Undefined: the client showed no certificate. */
  readonly peer: PeerCertificateInfo | undefined;
  /** An `envoy.data.accesslog.v3.TLSProperties`, encoded. */
  readonly properties: Uint8Array;
}

export interface PeerCertificateInfo {
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** RFC 2253; empty when it has none. */
  readonly subject: string;
  /** SHA-256 of the certificate, in hexadecimal. */
  readonly hash: string;
}

export function peerInfo(socket: TLSSocket, own: Certificate | undefined): TlsInfo {
  const version = socket.getProtocol() ?? "";
  const cipher = socket.getCipher().standardName ?? "";
  const serverName = typeof socket.servername === "string" ? socket.servername : "";
  const localUris = namesOf(own?.leaf.subjectAltName, "URI:");
  const peer = peerOf(socket);
  const properties = toBinary(
    TLSPropertiesSchema,
    create(TLSPropertiesSchema, {
      tlsVersion: versionNumbers[version] ?? TlsVersion.VERSION_UNSPECIFIED,
      tlsCipherSuite: cipherNumbers[cipher] ?? 0,
      tlsSniHostname: serverName,
      ...(own && { localCertificateProperties: certificateProperties(localUris, [], subjectOf(own.leaf.subject)) }),
      ...(peer && { peerCertificateProperties: certificateProperties(peer.uris, peer.dnsNames, peer.subject) }),
    }),
  );
  return { version, cipher, serverName, localUris, peer, properties };
}

function peerOf(socket: TLSSocket): PeerCertificateInfo | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    uris: namesOf(certificate.subjectAltName, "URI:"),
    dnsNames: namesOf(certificate.subjectAltName, "DNS:"),
    subject: subjectOf(certificate.subject),
    hash: createHash("sha256").update(certificate.raw).digest("hex"),
  };
}

const certificateProperties = (
  uris: readonly string[],
  dnsNames: readonly string[],
  subject: string,
): MessageInitShape<typeof CertificatePropertiesSchema> => ({
  subjectAltName: [
    ...uris.map((value) => ({ san: { case: "uri" as const, value } })),
    ...dnsNames.map((value) => ({ san: { case: "dns" as const, value } })),
  ],
  subject,
});

/** Node has a line for each part, the outermost first; RFC 2253 begins with the innermost. */
const subjectOf = (subject: string | undefined): string => (subject ?? "").split("\n").reverse().join(",");

const versionNumbers: Record<string, TlsVersion> = {
  TLSv1: TlsVersion.TLSv1,
  "TLSv1.1": TlsVersion.TLSv1_1,
  "TLSv1.2": TlsVersion.TLSv1_2,
  "TLSv1.3": TlsVersion.TLSv1_3,
};

/** https://www.iana.org/assignments/tls-parameters/tls-parameters.xhtml#tls-parameters-4, those that Node and Envoy speak unasked */
const cipherNumbers: Record<string, number> = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
};
