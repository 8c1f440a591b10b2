import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TransportSocket } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { DownstreamTlsContextSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { CommonTls } from "../tls/common-tls.ts";
import type { Secrets } from "../tls/secrets.ts";

/** TLS that a filter chain ends. */
export interface DownstreamTls {
  readonly common: CommonTls;
  readonly requireClientCertificate: boolean;
  /** For how long a client may take to shake hands. */
  readonly handshakeMs: number;
}

/** Envoy's own default is without end, which any client could use up connections with. */
const defaultHandshakeMs = 15_000;

/** Throws an Error naming the field. Undefined: plain text. Unsupported fields were refused before. */
export function compileDownstreamTls(
  socket: TransportSocket | undefined,
  connectTimeoutMs: number | undefined,
  secrets: Secrets,
): DownstreamTls | undefined {
  const any = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const config = any && anyUnpack(any, DownstreamTlsContextSchema);
  if (config === undefined) return undefined;
  const path = "transport_socket.typed_config";
  const common = new CommonTls(config.commonTlsContext, `${path}.common_tls_context`, secrets);
  if (common.certificates.length === 0) {
    throw new Error(`${path}.common_tls_context: a certificate is required`);
  }
  const requireClientCertificate = config.requireClientCertificate ?? false;
  if (requireClientCertificate && common.validation === undefined) {
    // Envoy would take any certificate, which proves nothing.
    throw new Error(`${path}.require_client_certificate: needs a validation context`);
  }
  return { common, requireClientCertificate, handshakeMs: connectTimeoutMs || defaultHandshakeMs };
}
