import { X509Certificate } from "node:crypto";
import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import type { Cluster } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TransportSocketSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { compileUpstreamTls, type UpstreamTls } from "../cluster/upstream-tls.ts";
import { unsupportedFields } from "../config/supported.ts";
import { noSecrets } from "../tls/secret-set.ts";

/** How a gRPC channel to a cluster is secured. */
export interface GrpcSecurity {
  credentials: ChannelCredentials;
  options: ChannelOptions;
}

/** By the cluster's transport socket; plain text without one. Throws an Error naming the field, and the file that can't be read. */
export function grpcSecurity({ name, transportSocket }: Cluster): GrpcSecurity {
  if (transportSocket === undefined) return { credentials: credentials.createInsecure(), options: {} };
  const [unsupported] = unsupportedFields(TransportSocketSchema, transportSocket);
  if (unsupported) throw new Error(`transport_socket.${unsupported}`);
  const tls = compileUpstreamTls(transportSocket, noSecrets);
  if (tls === undefined) return { credentials: credentials.createInsecure(), options: {} };
  if (tls.context.secretNames.length > 0)
    throw new Error("transport_socket: what it asks SDS for would have to come over it");
  // The name to ask for; grpc-js would take the address, which is none (RFC 6066, 3).
  return { credentials: channelCredentials(tls), options: { "grpc.ssl_target_name_override": tls.serverName || name } };
}

function channelCredentials({ context }: UpstreamTls): ChannelCredentials {
  const settings = context.current();
  const { ca, cert, key } = settings?.options ?? {};
  const pem = (value: unknown) => (typeof value === "string" ? Buffer.from(value) : null);
  const names = settings?.verify?.names ?? [];
  return credentials.createSsl(pem(ca), pem(key), pem(cert), {
    rejectUnauthorized: settings?.verify !== undefined,
    checkServerIdentity: (_host, { raw }) => {
      const certificate = new X509Certificate(raw);
      if (names.length === 0 || names.some((matches) => matches(certificate.toLegacyObject()))) return undefined;
      return new Error(`the server's certificate is for ${certificate.subjectAltName ?? "no name"}`);
    },
  });
}
