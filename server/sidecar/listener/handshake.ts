import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { DownstreamTls } from "../tls/downstream-tls.ts";
import type { TlsInfo } from "../tls/peer-info.ts";
import type { ListenerTlsStats } from "./listener-tls-stats.ts";

/** A connection of which it is not known yet whether its TLS will come about. */
export class Handshake {
  private readonly socket: Socket;

  /** @param done called once, perhaps before this returns; undefined: it came to nothing, and the connection is closed */
  constructor(
    socket: Socket,
    tls: DownstreamTls,
    stats: ListenerTlsStats,
    done: (secure: { socket: TLSSocket; info: TlsInfo } | undefined) => void,
  ) {
    this.socket = socket;
    tls.accept(socket, {
      onSecure(socket, info) {
        stats.onSecure(info);
        done({ socket, info });
      },
      onFailure(failure) {
        stats.onFailure(failure);
        done(undefined);
      },
    });
  }

  drain(): void {}

  destroy(): void {
    this.socket.destroy();
  }
}
