import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "../../lib/logger.ts";
import type { ListeningSocket, SocketHandle } from "../../lib/succession.ts";
import { type InheritedSockets, listeningSocket } from "./inherited-sockets.ts";
import type { ListenAddress } from "./listen-address.ts";

export interface ListeningIo {
  readonly logger: Logger;
  /** Lets a successor listen on the same ports before this process has stopped. */
  readonly reusePort?: boolean | undefined;
  /** Listening sockets of a predecessor. */
  readonly inherited?: InheritedSockets | undefined;
  /** A socket that others accept on as well; rejects like binding one's own. Absent: one's own. */
  readonly acquire?: ((name: string, address: ListenAddress) => Promise<SocketHandle>) | undefined;
  /** Nothing is bound: connections come from inside the process. */
  readonly internal?: boolean | undefined;
}

interface ListeningOwner {
  accept(socket: Socket): void;
  /** Somebody came, and could not be accepted. */
  acceptFailed(): void;
}

/** The socket of a listener: its own, a predecessor's, one that several processes accept on, or none at all. */
export class Listening {
  /** Resolves when bound, rejects when it cannot be. */
  readonly done: Promise<void>;
  bound: boolean;
  /** It takes no more. */
  closed = false;
  private readonly name: string;
  private readonly address: ListenAddress;
  private readonly io: ListeningIo;
  private readonly owner: ListeningOwner;
  private readonly server: Server;

  constructor(name: string, address: ListenAddress, io: ListeningIo, backlog: number, owner: ListeningOwner) {
    this.name = name;
    this.address = address;
    this.io = io;
    this.owner = owner;
    // TCP sessions keep the other direction open when one has ended; HTTP connections say themselves that they don't.
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => owner.accept(socket));
    this.bound = io.internal === true;
    this.done = this.bound ? Promise.resolve() : this.bind(backlog);
  }

  /** For a successor; undefined while it is not bound. */
  get socket(): ListeningSocket | undefined {
    return listeningSocket(this.server, this.address.address, this.address.port);
  }

  /** The port bound, when the config says 0. */
  get port(): number {
    const bound = this.server.address();
    return typeof bound === "object" && bound !== null ? bound.port : this.address.port;
  }

  close(): void {
    this.closed = true;
    this.server.close();
  }

  private bind(backlog: number): Promise<void> {
    const { name, server } = this;
    const { address, port } = this.address;
    const { reusePort, inherited, acquire } = this.io;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      const listening = () => {
        server.off("error", reject);
        this.watchErrors();
        this.bound = true;
        resolve();
      };
      if (acquire === undefined) {
        const own = { host: address, port, reusePort: reusePort === true };
        server.listen(inherited?.take(address, port) ?? own, backlog, listening);
        return;
      }
      acquire(name, this.address).then((handle) => {
        if (this.closed) handle.close();
        else server.listen(handle, backlog, listening);
      }, reject);
    });
  }

  /** An accept that fails (EMFILE: too many open files) must not end the process, but somebody has to hear of it. */
  private watchErrors(): void {
    let toldAt = Number.NEGATIVE_INFINITY;
    this.server.on("error", ({ code, message }: NodeJS.ErrnoException) => {
      this.owner.acceptFailed();
      if (performance.now() - toldAt < acceptErrorEveryMs) return;
      toldAt = performance.now();
      this.io.logger.error({ listener: this.name, code, error: message }, "cannot accept connections");
    });
  }
}

const acceptErrorEveryMs = 10_000;
