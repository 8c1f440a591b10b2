import type { RequestRecord } from "../../record.ts";
import type { TlsConnection } from "../../tls/tls-connection.ts";
import { type Operators, plain, some } from "./operator.ts";

const list = (values: readonly string[] | undefined): string | undefined => values?.join(",");

/** In PEM, with all but a few characters as a URL has them. */
const pemOf = ({ peerCertificate }: TlsConnection): string | undefined =>
  peerCertificate && encodeURIComponent(peerCertificate.toString()).replace(/[!'()*]/g, hex);
const hex = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;

const compact = (fingerprint: string | undefined): string | undefined => fingerprint?.replaceAll(":", "").toLowerCase();

type Read = (connection: TlsConnection) => string | undefined;

/** Of both sides. */
const ofEither: Readonly<Record<string, Read>> = {
  TLS_VERSION: ({ version }) => version,
  TLS_CIPHER: ({ cipher }) => cipher,
  PEER_URI_SAN: ({ peer }) => list(peer?.uris),
  PEER_DNS_SAN: ({ peer }) => list(peer?.dns),
  PEER_IP_SAN: ({ peer }) => list(peer?.ips),
  PEER_SUBJECT: ({ peer }) => peer?.subject,
  PEER_ISSUER: ({ peer }) => peer?.issuer,
  PEER_CERT: pemOf,
  LOCAL_URI_SAN: ({ local }) => list(local?.uris),
  LOCAL_DNS_SAN: ({ local }) => list(local?.dns),
  LOCAL_IP_SAN: ({ local }) => list(local?.ips),
};

const ofClients: Readonly<Record<string, Read>> = {
  ...ofEither,
  PEER_EMAIL_SAN: ({ peer }) => list(peer?.emails),
  PEER_SERIAL: ({ peer }) => peer?.serialNumber,
  PEER_FINGERPRINT_256: ({ peer }) => peer?.hash,
  PEER_FINGERPRINT_1: ({ peerCertificate }) => compact(peerCertificate?.fingerprint),
  LOCAL_EMAIL_SAN: ({ local }) => list(local?.emails),
  LOCAL_SUBJECT: ({ local }) => local?.subject,
};

const operators = (
  side: string,
  reads: Readonly<Record<string, Read>>,
  of: (record: RequestRecord) => TlsConnection | undefined,
): Operators =>
  Object.fromEntries(
    Object.entries(reads).map(([name, read]) => [
      `${side}_${name}`,
      plain((record) => {
        const connection = of(record);
        return connection && some(read(connection));
      }),
    ]),
  );

export const tlsOperators: Operators = {
  ...operators("DOWNSTREAM", ofClients, ({ downstreamTls }) => downstreamTls),
  ...operators("UPSTREAM", ofEither, ({ upstreamTls }) => upstreamTls),
  // A connection whose handshake fails has no request, and a fingerprint is taken only where an inspector is told to: never here.
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: plain(() => undefined),
  TLS_JA3_FINGERPRINT: plain(() => undefined),
  TLS_JA4_FINGERPRINT: plain(() => undefined),
};
