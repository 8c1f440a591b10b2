import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AddressSchema } from "../../gen/proto/envoy/config/core/v3/address_pb.js";
import type { AttributeContextSchema } from "../../gen/proto/envoy/service/auth/v3/attribute_context_pb.js";
import type { DownstreamFacts } from "../http/stream.ts";
import type { CertificateInfo } from "../tls/certificate-info.ts";

type Attributes = MessageInitShape<typeof AttributeContextSchema>;
type Peer = Exclude<Attributes["source"], { $typeName: string } | undefined>;

/** Both ends of a connection as an authorization service is told of them. @param withCertificate whether it sees the client's */
export function checkPeers(
  { remoteAddress, remotePort, localAddress, localPort, tls }: DownstreamFacts,
  withCertificate: boolean,
): { source: Peer; destination: Peer } {
  const { peerCertificate } = tls ?? {};
  return {
    source: {
      address: address(remoteAddress, remotePort),
      principal: principal(tls?.peer),
      certificate: withCertificate && peerCertificate ? encodeURIComponent(peerCertificate.toString()) : "",
    },
    destination: { address: address(localAddress, localPort), principal: principal(tls?.local) },
  };
}

const address = (ip: string, port: number): MessageInitShape<typeof AddressSchema> => ({
  address: { case: "socketAddress", value: { address: ip, portSpecifier: { case: "portValue", value: port } } },
});

/** The first name of the best kind that a certificate has. */
const principal = (certificate: CertificateInfo | undefined): string =>
  certificate?.uris[0] ?? certificate?.dns[0] ?? certificate?.subject ?? "";
