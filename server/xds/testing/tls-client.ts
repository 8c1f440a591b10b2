import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { credentials, makeClientConstructor } from "@grpc/grpc-js";
import { type ServiceClient, serviceDefinition } from "../../lib/grpc.ts";

export interface TlsClientOptions {
  /** In PEM. */
  root: string;
  /** What the client shows; undefined: nothing. */
  certificate?: { keyPem: string; chainPem: string };
}

/** A client over TLS that takes any server which leads to the root; close() it when done. */
export function makeTlsClient<Methods extends GenServiceMethods>(
  service: GenService<Methods>,
  target: string,
  { root, certificate }: TlsClientOptions,
): ServiceClient<Methods> {
  const Constructor = makeClientConstructor(serviceDefinition(service), service.typeName);
  const ssl = credentials.createSsl(
    Buffer.from(root),
    certificate ? Buffer.from(certificate.keyPem) : null,
    certificate ? Buffer.from(certificate.chainPem) : null,
    { checkServerIdentity: () => undefined },
  );
  // Clients of one address share their connections, and with them who they are; this one has its own.
  // An address is no server name (RFC 6066, 3).
  const options = { "grpc.use_local_subchannel_pool": 1, "grpc.ssl_target_name_override": "xds" };
  return new Constructor(target, ssl, options) as unknown as ServiceClient<Methods>;
}
