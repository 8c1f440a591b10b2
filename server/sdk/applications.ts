import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Http2Server } from "node:http2";
import type { Socket } from "node:net";
import { memorySockets, type SocketEnd } from "../lib/memory-socket.ts";
import { serveInProcess } from "../sidecar/cluster/in-process.ts";
import type { Mesh } from "./api.ts";
import type { RequestContext } from "./context.ts";

type Application = Parameters<Mesh["listen"]>[1];

/** Opens connections from the mesh's inbound side to an application in this process. */
export class ApplicationPort {
  readonly #give: (connection: Socket) => void;
  readonly #at: SocketEnd;
  readonly #open = new Set<Socket>();
  readonly #stop: () => void;

  /** Throws an Error when the port is another application's. */
  constructor(application: Application, at: SocketEnd, context: RequestContext) {
    this.#give = giver(application, context);
    this.#at = at;
    this.#stop = serveInProcess(at.address, at.port, () => this.#dial());
  }

  stop(): void {
    this.#stop();
    for (const socket of this.#open) socket.destroy();
  }

  #dial(): Socket {
    const [theirs, ours] = memorySockets(this.#at, { address: this.#at.address, port: 0 });
    this.#open.add(theirs);
    theirs.once("close", () => this.#open.delete(theirs));
    this.#give(theirs);
    return ours;
  }
}

function giver(application: Application, context: RequestContext): (connection: Socket) => void {
  if (typeof application === "function") return giver(createServer(application), context);
  if ("injectConnection" in application) return (connection) => application.injectConnection(connection);
  follow(application, context);
  return (connection) => void application.emit("connection", connection);
}

const followed = new WeakSet<object>();

/** Handlers run within the request that they answer: `emit` is where all of a server's come from, however they were added. */
function follow(server: Server | Http2Server, context: RequestContext): void {
  if (followed.has(server)) return;
  followed.add(server);
  const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
  const within = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event === "request") return context.within((args[0] as IncomingMessage).headers, () => emit(event, ...args));
    if (event === "stream") return context.within(args[1] as IncomingMessage["headers"], () => emit(event, ...args));
    return emit(event, ...args);
  };
  Object.defineProperty(server, "emit", { value: within, configurable: true, writable: true });
}
