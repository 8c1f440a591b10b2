import { createServer, type IncomingMessage } from "node:http";
import type { Server, Socket } from "node:net";
import { memorySockets, type SocketEnd } from "../lib/memory-socket.ts";
import { serveInProcess } from "../sidecar/cluster/in-process.ts";
import type { Mesh } from "./api.ts";
import type { RequestContext } from "./context.ts";

type Application = Parameters<Mesh["listen"]>[1];

/** Opens connections from the mesh's inbound side to an application in this process. */
export class ApplicationPort {
  readonly #take: Taking;
  readonly #at: SocketEnd;
  readonly #open = new Set<Socket>();
  readonly #stop: () => void;

  /** Throws an Error when the port is another application's. */
  constructor(application: Application, at: SocketEnd, context: RequestContext) {
    this.#at = at;
    this.#stop = serveInProcess(at.address, at.port, () => this.#dial());
    this.#take = takingOf(application, context);
  }

  stop(): void {
    this.#stop();
    this.#take.end();
    for (const socket of this.#open) socket.destroy();
  }

  #dial(): Socket {
    const [theirs, ours] = memorySockets(this.#at, { address: this.#at.address, port: 0 });
    this.#open.add(theirs);
    theirs.once("close", () => this.#open.delete(theirs));
    this.#take.connection(theirs);
    return ours;
  }
}

/** How an application takes what comes for it. */
interface Taking {
  connection(socket: Socket): void;
  end(): void;
}

function takingOf(application: Application, context: RequestContext): Taking {
  if (typeof application === "function") return takingOf(createServer(application), context);
  if ("injectConnection" in application)
    return { connection: (socket) => application.injectConnection(socket), end: () => undefined };
  return { connection: (socket) => void application.emit("connection", socket), end: follow(application, context) };
}

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** By server: whose requests they are that it answers. One that is served at two ports of a mesh has its context twice. */
const followed = new WeakMap<Server, RequestContext[]>();

/**
 * Handlers run within the request that they answer: `emit` is where all of a server's come from, however they were added.
 * @returns ends it
 */
function follow(server: Server, context: RequestContext): () => void {
  const contexts = followed.get(server) ?? wrapped(server);
  contexts.push(context);
  return () => void contexts.splice(contexts.indexOf(context), 1);
}

/** Once for each server: whoever wraps `emit` after us must not be undone. */
function wrapped(server: Server): RequestContext[] {
  const contexts: RequestContext[] = [];
  followed.set(server, contexts);
  const emit: Emit = server.emit.bind(server);
  const within: Emit = (event, ...args) => {
    const headers = headersOf(event, args);
    const answer = () => emit(event, ...args);
    if (headers === undefined) return answer();
    return [...new Set(contexts)].reduce((work, context) => () => context.within(headers, work), answer)();
  };
  Object.defineProperty(server, "emit", { value: within, configurable: true, writable: true });
  return contexts;
}

/** Of a request that begins with this event, of HTTP/1.1 or HTTP/2. */
function headersOf(event: string | symbol, args: unknown[]): IncomingMessage["headers"] | undefined {
  if (event === "request") return (args[0] as IncomingMessage).headers;
  if (event === "stream") return args[1] as IncomingMessage["headers"];
  return undefined;
}
