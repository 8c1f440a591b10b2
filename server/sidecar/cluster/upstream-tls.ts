import { isIP, Socket, type TcpSocketConnectOpts } from "node:net";
import { connect } from "node:tls";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TransportSocket } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { UpstreamTlsContextSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { Secrets } from "../tls/secret-set.ts";
import { sharedContext, TlsContext } from "../tls/tls-context.ts";

/** TLS towards a cluster's endpoints. */
export interface UpstreamTls {
  /** Equal for equal settings, whatever secrets they name hold. */
  readonly key: string;
  readonly serverName: string;
  readonly protocols: readonly string[];
  readonly context: TlsContext;
}

/** Throws an Error naming the field. Undefined: no TLS. Unsupported fields were refused before. */
export function compileUpstreamTls(socket: TransportSocket | undefined, secrets: Secrets): UpstreamTls | undefined {
  const any = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const config = any && anyUnpack(any, UpstreamTlsContextSchema);
  if (any === undefined || config === undefined) return undefined;
  const path = "transport_socket.typed_config.common_tls_context";
  const context = new TlsContext(config.commonTlsContext, secrets, path);
  return {
    key: `${Buffer.from(any.value).toString("base64")} ${context.secretNames.length > 0 ? "" : fixedKey(context, path)}`,
    serverName: config.sni,
    protocols: config.commonTlsContext?.alpnProtocols ?? [],
    context,
  };
}

/** What does not wait for secrets must work now. A file's contents may change under an unchanged name. */
function fixedKey(context: TlsContext, path: string): string {
  const settings = context.current();
  try {
    if (settings) sharedContext(settings);
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`);
  }
  return settings?.key ?? "";
}

/** Counts under Envoy's names. https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats#tls-statistics */
export type CountTls = (name: "handshake" | "connection_error" | "fail_verify_error" | "fail_verify_san") => void;

/** Begins a TLS connection; `secureConnect` says that the certificate was good. */
export function connectTls(
  tls: UpstreamTls,
  options: TcpSocketConnectOpts & { noDelay: boolean },
  count: CountTls,
): Socket {
  const settings = tls.context.current();
  // In Envoy's words.
  if (settings === undefined) return new Socket().destroy(new Error("TLS error: Secret is not supplied by SDS"));
  const { names } = settings.verify ?? { names: [] };
  const socket = connect({
    ...options,
    secureContext: sharedContext(settings),
    // RFC 6066, 3: an address is no server name.
    ...(tls.serverName !== "" && isIP(tls.serverName) === 0 && { servername: tls.serverName }),
    ...(tls.protocols.length > 0 && { ALPNProtocols: [...tls.protocols] }),
    rejectUnauthorized: settings.verify !== undefined,
    checkServerIdentity: (_, certificate) =>
      names.length === 0 || names.some((matches) => matches(certificate))
        ? undefined
        : new WrongNameError(`the certificate is for ${certificate.subjectaltname ?? "no name"}`),
  });
  socket.once("error", (error: NodeJS.ErrnoException) => {
    // Of connecting, not of TLS.
    if (error.syscall !== undefined) return;
    if (error instanceof WrongNameError) count("fail_verify_san");
    // OpenSSL's codes for what it found wrong with a certificate stand alone, those of TLS begin so.
    else if (error.code?.startsWith("ERR_") === false) count("fail_verify_error");
    count("connection_error");
  });
  socket.once("secureConnect", () => count("handshake"));
  return socket;
}

class WrongNameError extends Error {}
