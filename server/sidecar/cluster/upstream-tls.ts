import { createHash, X509Certificate } from "node:crypto";
import { connect as connectPlain, isIP, Socket, type TcpSocketConnectOpts } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TransportSocket } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { UpstreamTlsContextSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { certificateInfo } from "../tls/certificate-info.ts";
import { CommonTls } from "../tls/common-tls.ts";
import type { Secrets } from "../tls/secrets.ts";
import { TlsConnection } from "../tls/tls-connection.ts";
import { failureKind, failureReason, secretMissing, WrongHash, wrongName } from "../tls/tls-failure.ts";
import type { TlsStats } from "../tls/tls-stats.ts";
import { hostTest, isPinned } from "../tls/validation.ts";

/** TLS towards a cluster's endpoints. */
export interface UpstreamTls {
  /** Equal for equal settings. */
  readonly key: string;
  readonly serverName: string;
  readonly common: CommonTls;
}

/** Throws an Error naming the field. Undefined: no TLS. Unsupported fields were refused before. */
export function compileUpstreamTls(socket: TransportSocket | undefined, secrets: Secrets): UpstreamTls | undefined {
  const any = socket?.configType.case === "typedConfig" ? socket.configType.value : undefined;
  const config = any && anyUnpack(any, UpstreamTlsContextSchema);
  if (any === undefined || config === undefined) return undefined;
  const common = new CommonTls(config.commonTlsContext, "transport_socket.typed_config.common_tls_context", secrets);
  const key = createHash("sha256").update(any.value).update(common.version).digest("base64");
  return { key, serverName: config.sni, common };
}

/** What a socket's handshake, which is over, has agreed on; undefined: plain text. */
export function tlsOf(socket: Socket): TlsConnection | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const own = socket.getX509Certificate();
  return new TlsConnection(socket, own && certificateInfo(own), socket.getPeerX509Certificate());
}

export interface ConnectOptions {
  /** What will be spoken: what is something else isn't offered. */
  readonly protocol?: "http1" | "http2" | "auto" | undefined;
  /** Whom the call is for, where that is more than the cluster says: it is asked for, and has to be in the certificate. */
  readonly host?: string | undefined;
  /** Writes what comes before the handshake. */
  readonly announce?: ((socket: Socket) => void) | undefined;
}

/** Begins a TLS connection; `secureConnect` says that the certificate was good. Errors are read with {@link connectFailure}. */
export function connectTls(
  tls: UpstreamTls,
  options: TcpSocketConnectOpts & { noDelay: boolean },
  stats: TlsStats,
  { protocol, host = "", announce }: ConnectOptions = {},
): Socket {
  const material = tls.common.current();
  // Without a secret that did not come in time no connection can be made: Envoy's NotReadySslSocket.
  if (material === undefined) return failed(new SecretMissing());
  const { context, names, pins, validation } = material;
  const serverName = host || tls.serverName;
  const protocols = offered(tls.common.protocols, protocol);
  const raw = announce === undefined ? undefined : connectPlain(options);
  if (announce !== undefined) raw?.once("connect", () => announce(raw));
  const socket = connect({
    ...(raw === undefined ? options : { socket: raw }),
    secureContext: context,
    // RFC 6066, 3: an address is no server name.
    ...(serverName !== "" && isIP(serverName) === 0 && { servername: serverName }),
    ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
    rejectUnauthorized: validation !== undefined,
    checkServerIdentity: (_, peer) =>
      (host === "" ? undefined : wrongName([hostTest(host)], peer.subjectaltname)) ??
      wrongName(names, peer.subjectaltname) ??
      (pins.length === 0 || isPinned(pins, new X509Certificate(peer.raw)) ? undefined : new WrongHash()),
  });
  raw?.once("error", (error) => socket.destroy(error));
  socket.once("secureConnect", () => stats.made(socket.getProtocol() ?? "", socket.getCipher().name));
  socket.once("error", (error) => count(error, socket, stats));
  return socket;
}

/** `alpn_protocols` without those of another version; Envoy adds `h2` where HTTP/2 is spoken and nothing is said. */
function offered(protocols: readonly string[], protocol: ConnectOptions["protocol"]): readonly string[] {
  if (protocol === undefined) return protocols;
  if (protocol === "auto") return protocols.length > 0 ? protocols : ["h2", "http/1.1"];
  if (protocol === "http2" && protocols.length === 0) return ["h2"];
  const other = protocol === "http2" ? "http/1.1" : "h2";
  return protocols.filter((name) => name !== other);
}

/** What the log says of a connection that could not be made, or broke. */
export function connectFailure(error: NodeJS.ErrnoException, socket: Socket): string {
  if (error instanceof SecretMissing) return secretMissing;
  return socket instanceof TLSSocket ? failureReason(error, kindOf(error, socket)) : (error.code ?? error.message);
}

/** Node leaves on the socket what it didn't like of the certificate. */
const kindOf = (error: NodeJS.ErrnoException, { authorizationError }: TLSSocket) =>
  failureKind(error, authorizationError !== null && String(authorizationError) === (error.code ?? error.message));

function count(error: Error, socket: TLSSocket, stats: TlsStats): void {
  switch (kindOf(error, socket)) {
    case "name":
      stats.failVerifySan.inc();
      return;
    case "hash":
      stats.failVerifyCertHash.inc();
      return;
    case "verify":
      stats.failVerifyError.inc();
      return;
    case "protocol":
      stats.connectionError.inc();
  }
}

class SecretMissing extends Error {}

function failed(error: Error): Socket {
  const socket = new Socket();
  process.nextTick(() => socket.destroy(error));
  return socket;
}
