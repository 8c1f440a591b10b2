import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TransportSocket } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { DownstreamTlsContextSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { peerInfo, type TlsInfo } from "./peer-info.ts";
import type { Secrets } from "./secret-set.ts";
import { TlsContext, type TlsSettings } from "./tls-context.ts";

/** Why a handshake came to nothing, by Envoy's names of its counters; `connection_error`: anything else. */
export type HandshakeFailure = "connection_error" | "fail_verify_error" | "fail_verify_no_cert" | "fail_verify_san";

export interface HandshakeResult {
  onSecure(socket: TLSSocket, info: TlsInfo): void;
  /** The connection is closed, or closing. */
  onFailure(failure: HandshakeFailure): void;
}

/**
 * TLS that ends here: a filter chain's transport socket. Node's server makes the handshakes on sockets that it is handed; it never listens.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/tls.proto#extensions-transport-sockets-tls-v3-downstreamtlscontext
 */
export class DownstreamTls {
  readonly context: TlsContext;
  private readonly requireCertificate: boolean;
  private readonly timeoutMs: number;
  private server: { settings: TlsSettings; accepts: Server } | undefined = undefined;
  /** Handshakes under way, by the client's address and port. */
  private readonly pending = new Map<string, HandshakeResult & { allowHalfOpen: boolean }>();

  constructor(context: TlsContext, requireCertificate: boolean, timeoutMs: number) {
    this.context = context;
    this.requireCertificate = requireCertificate;
    this.timeoutMs = timeoutMs;
  }

  /** Takes the socket over, with what it holds unread. Either method of the result is called, once. */
  accept(socket: Socket, result: HandshakeResult): void {
    const settings = this.context.current();
    if (settings === undefined) {
      socket.destroy();
      result.onFailure("connection_error");
      return;
    }
    const key = clientOf(socket);
    const { allowHalfOpen } = socket;
    this.pending.set(key, { ...result, allowHalfOpen });
    // Whatever ends the handshake early ends the connection, and who sends no more can't finish it.
    socket.allowHalfOpen = false;
    socket.once("close", () => this.fail(key, "fail_verify_error"));
    this.serverFor(settings).emit("connection", socket);
  }

  private serverFor(settings: TlsSettings): Server {
    if (this.server?.settings === settings) return this.server.accepts;
    const checks = this.requireCertificate || settings.verify !== undefined;
    const accepts = createServer({
      ...settings.options,
      // A session that is resumed would not show its certificate again.
      secureOptions: constants.SSL_OP_NO_TICKET,
      requestCert: checks,
      rejectUnauthorized: this.requireCertificate && settings.verify !== undefined,
      handshakeTimeout: this.timeoutMs,
    });
    accepts.on("secureConnection", (socket) => this.onSecure(socket, settings));
    accepts.on("tlsClientError", (error, socket) => {
      this.fail(clientOf(socket), failureOf(error));
      // Node leaves that to whoever listens.
      socket.destroy();
    });
    this.server = { settings, accepts };
    return accepts;
  }

  private onSecure(socket: TLSSocket, settings: TlsSettings): void {
    const key = clientOf(socket);
    const result = this.pending.get(key);
    this.pending.delete(key);
    if (result === undefined) {
      socket.destroy();
      return;
    }
    const failure = this.judge(socket, settings);
    if (failure === undefined) {
      socket.allowHalfOpen = result.allowHalfOpen;
      result.onSecure(socket, peerInfo(socket, settings.certificate));
      return;
    }
    socket.destroy();
    result.onFailure(failure);
  }

  /** Node has checked the chain where a certificate is required; one that is only asked for, and the names, are for us. */
  private judge(socket: TLSSocket, { verify }: TlsSettings): HandshakeFailure | undefined {
    const certificate = socket.getPeerCertificate();
    const shown = certificate?.raw !== undefined;
    if (!shown) return this.requireCertificate ? "fail_verify_no_cert" : undefined;
    if (verify === undefined) return undefined;
    if (!socket.authorized) return "fail_verify_error";
    const { names } = verify;
    return names.length === 0 || names.some((matches) => matches(certificate)) ? undefined : "fail_verify_san";
  }

  private fail(key: string, failure: HandshakeFailure): void {
    const result = this.pending.get(key);
    this.pending.delete(key);
    result?.onFailure(failure);
  }
}

/** Throws an Error naming the field. Undefined: plain text. Unsupported fields were refused before. */
export function compileDownstreamTls(
  socket: TransportSocket | undefined,
  secrets: Secrets,
  timeoutMs: number | undefined,
): DownstreamTls | undefined {
  const any = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const config = any && anyUnpack(any, DownstreamTlsContextSchema);
  if (config === undefined) return undefined;
  const path = "transport_socket.typed_config.common_tls_context";
  // Node ends a handshake in which nothing offered is known, where Envoy goes on without.
  if (config.commonTlsContext?.alpnProtocols.length) throw new Error(`${path}.alpn_protocols: not supported`);
  const context = new TlsContext(config.commonTlsContext, secrets, path);
  if (context.secretNames.length === 0 && context.current()?.certificate === undefined) {
    throw new Error(`${path}: tls_certificates or tls_certificate_sds_secret_configs is required`);
  }
  return new DownstreamTls(context, config.requireClientCertificate ?? false, timeoutMs || handshakeMs);
}

/** Where the chain has no transport_socket_connect_timeout; Envoy waits without end then. */
const handshakeMs = 15_000;

const clientOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

function failureOf(error: NodeJS.ErrnoException): HandshakeFailure {
  if (error.code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "fail_verify_no_cert";
  return "connection_error";
}
