import type { RequestRecord } from "../../../record.ts";
import type { TlsConnection } from "../../../tls/tls-connection.ts";
import type { Attributes } from "./attributes.ts";

/** What a handshake agreed on and which certificates were shown: of a client's connection and of an endpoint's alike. */
export function tlsAttributes(of: (record: RequestRecord) => TlsConnection | undefined): Attributes {
  const read = (value: (connection: TlsConnection) => string | undefined) => (record: RequestRecord) => {
    const connection = of(record);
    return connection && value(connection);
  };
  return {
    tls_version: read(({ version }) => version),
    subject_peer_certificate: read(({ peer }) => peer?.subject ?? ""),
    subject_local_certificate: read(({ local }) => local?.subject ?? ""),
    uri_san_peer_certificate: read(({ peer }) => peer?.uris[0]),
    uri_san_local_certificate: read(({ local }) => local?.uris[0]),
    dns_san_peer_certificate: read(({ peer }) => peer?.dns[0]),
    dns_san_local_certificate: read(({ local }) => local?.dns[0]),
    sha256_peer_certificate_digest: read(({ peer }) => peer?.hash),
    peer_certificate: read(({ peerCertificate }) => peerCertificate?.toString()),
  };
}
