import { Agent, type ClientRequest } from "node:http";
import type { Socket } from "node:net";
import type { RequestContext } from "./context.ts";

/** What Node calls for each request; it stands in no declaration, and every agent that is not Node's own goes by it. */
const { addRequest } = Agent.prototype as unknown as { addRequest(request: ClientRequest, options: object): void };

/** Brings requests of `node:http` into the mesh, over connections that never leave the process. */
export class MeshAgent extends Agent {
  readonly #connect: () => Socket;
  readonly #context: RequestContext;

  constructor(connect: () => Socket, context: RequestContext) {
    super({ keepAlive: true, maxSockets: 1024, maxFreeSockets: 64 });
    this.#connect = connect;
    this.#context = context;
  }

  /** What is wrong is the request's error, as when a real connection fails. */
  override createConnection(_: object, done?: (error: Error | null, socket: Socket) => void): Socket | undefined {
    try {
      return this.#connect();
    } catch (error) {
      if (done === undefined) throw error;
      process.nextTick(done as (error: unknown) => void, error);
      return undefined;
    }
  }

  addRequest(request: ClientRequest, options: object): void {
    if (!request.headersSent) {
      for (const [name, value] of this.#context.headers) if (!request.hasHeader(name)) request.setHeader(name, value);
    }
    addRequest.call(this, request, options);
  }
}
