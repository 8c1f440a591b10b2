import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { WheelTimer } from "../../lib/timer-wheel.ts";
import type { Timers } from "../../lib/timers.ts";
import type { Counter } from "../stats.ts";
import type { TlsMaterial } from "../tls/common-tls.ts";
import { TlsConnection } from "../tls/tls-connection.ts";
import { failureKind } from "../tls/tls-failure.ts";
import type { TlsStats } from "../tls/tls-stats.ts";
import { isPinned, namesMatch } from "../tls/validation.ts";
import type { DownstreamTls } from "./downstream-tls.ts";

export interface Secured {
  readonly socket: Socket;
  readonly tls: TlsConnection;
}

/**
 * The server's side of one TLS handshake, and the judgement of the client's certificate. Nothing of the connection is passed on before
 * that; a client that is refused, or takes too long, is closed without a log record, as in Envoy.
 */
export class Handshake {
  /** No further request after the first. */
  draining = false;
  private readonly socket: TlsServerSocket;
  private readonly material: TlsMaterial;
  private readonly stats: TlsStats;
  private readonly done: (secured: Secured | undefined) => void;
  private readonly timer: WheelTimer;
  private over = false;

  /**
   * @param raw has what was already read of it put back
   * @param protocols that the server chooses from; empty: the client's offer is not answered
   * @param done called once; undefined: the connection is gone
   */
  constructor(
    raw: Socket,
    config: DownstreamTls,
    material: TlsMaterial,
    protocols: readonly string[],
    { timers, stats, timeouts }: { timers: Timers; stats: TlsStats; timeouts: Counter },
    done: (secured: Secured | undefined) => void,
  ) {
    this.material = material;
    this.stats = stats;
    this.done = done;
    this.timer = new WheelTimer(() => {
      timeouts.inc();
      this.destroy();
    });
    raw.on("error", ignore);
    this.socket = new TlsServerSocket(raw, config, material, protocols);
    this.socket.once("secure", () => this.onSecure());
    this.socket.on("error", this.onError);
    // Who sends no more cannot finish it; the socket itself would be left half open.
    this.socket.once("end", this.onEnd);
    this.socket.once("close", this.onClose);
    timers.arm(this.timer, config.handshakeMs);
  }

  /** A handshake under way still gets its request answered. */
  readonly requestedAt = 0;

  closeIdle(): void {}

  drain(): void {
    this.draining = true;
  }

  /** Also ends whatever has taken the socket over. */
  destroy(): void {
    this.socket.destroy();
  }

  private onSecure(): void {
    const { socket, stats } = this;
    const peer = socket.getPeerX509Certificate();
    if (peer === undefined) stats.noCertificate.inc();
    const { names, pins, acceptsUntrusted } = this.material;
    if (peer !== undefined && !acceptsUntrusted && socket.distrusted) {
      stats.failVerifyError.inc();
      this.destroy();
    } else if (peer !== undefined && !namesMatch(names, peer.subjectAltName)) {
      stats.failVerifySan.inc();
      this.destroy();
    } else if (peer !== undefined && !isPinned(pins, peer)) {
      stats.failVerifyCertHash.inc();
      this.destroy();
    } else {
      const tls = new TlsConnection(socket, this.material.certificate?.infos[0], peer);
      stats.made(tls.version, tls.cipher);
      this.finish({ socket, tls });
    }
  }

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    if (error.code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") this.stats.failVerifyNoCert.inc();
    else if (failureKind(error, false) === "protocol") this.stats.connectionError.inc();
    this.destroy();
  };

  private readonly onEnd = (): void => this.destroy();

  private readonly onClose = (): void => this.finish(undefined);

  private finish(secured: Secured | undefined): void {
    if (this.over) return;
    this.over = true;
    this.timer.cancel();
    const { socket } = this;
    // From here on errors are the business of whoever takes over, who listens before it returns.
    socket.off("end", this.onEnd);
    socket.off("close", this.onClose);
    this.done(secured);
    socket.off("error", this.onError);
    socket.on("error", ignore);
  }
}

/** The server's end, with what Node's own TLS server does beside its sockets. */
class TlsServerSocket extends TLSSocket {
  private readonly raw: Socket;

  constructor(raw: Socket, config: DownstreamTls, { context, validation }: TlsMaterial, protocols: readonly string[]) {
    super(raw, {
      isServer: true,
      secureContext: context,
      requestCert: validation !== undefined,
      rejectUnauthorized: config.requireClientCertificate,
      ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
    });
    this.raw = raw;
  }

  /**
   * Whether the chain of the client's certificate leads to none of the authorities, or has expired. OpenSSL only notes that and goes on:
   * https://github.com/nodejs/node/blob/v24.x/lib/internal/tls/wrap.js has the same question in its server's `secure` handler. A Node
   * without it throws here, and no connection is made.
   */
  get distrusted(): boolean {
    const { ssl } = this as unknown as { ssl: { verifyError(): Error | null | undefined } };
    return ssl.verifyError() != null;
  }

  /** TLS has no reset of its own: Node throws. */
  override resetAndDestroy(): this {
    this.raw.resetAndDestroy();
    return this;
  }
}

const ignore = (): void => {};
