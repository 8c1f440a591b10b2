import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { memorySockets, type SocketEnd } from "../lib/memory-socket.ts";
import type { EmbeddedSidecar } from "../sidecar/process/running-sidecar.ts";
import type { Mesh } from "./api.ts";
import { ApplicationPort } from "./applications.ts";
import { RequestContext } from "./context.ts";
import { MeshAgent } from "./mesh-agent.ts";
import { meshFetch } from "./mesh-fetch.ts";
import type { Settings } from "./settings.ts";

interface MeshParts {
  settings: Settings;
  sidecar: EmbeddedSidecar;
  /** Where a sidecar would take the application's calls. */
  outbound: SocketEnd;
  /** The address by which the inbound side finds applications of this process. */
  inside: string;
  id: string;
  identity: string | undefined;
  stopRenewing: (() => void) | undefined;
}

export class ApplicationMesh implements Mesh {
  readonly id: string;
  readonly identity: string | undefined;
  readonly agent: MeshAgent;
  readonly #parts: MeshParts;
  readonly #context: RequestContext;
  readonly #served = new Map<number, ApplicationPort>();
  #closed: Promise<void> | undefined;
  /** Of connections into the mesh, so that a log tells one from another. */
  #lastPort = 0;

  constructor(parts: MeshParts) {
    this.id = parts.id;
    this.identity = parts.identity;
    this.#parts = parts;
    this.#context = new RequestContext(parts.settings.propagate);
    this.agent = new MeshAgent(() => this.connect(), this.#context);
  }

  get state(): Mesh["state"] {
    return this.#closed === undefined ? "live" : "closed";
  }

  get connected(): boolean {
    return this.#closed === undefined && this.#parts.sidecar.connected;
  }

  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return meshFetch({ agent: this.agent, context: this.#context }, input, init);
  }

  connect(port?: number): Socket {
    const { sidecar, outbound } = this.#parts;
    const to = port === undefined ? outbound : { address: outbound.address, port };
    this.#lastPort = (this.#lastPort % 65_535) + 1;
    const [application, proxy] = memorySockets({ address: outbound.address, port: this.#lastPort }, to);
    if (this.#closed !== undefined || !sidecar.take(to, proxy)) {
      const what = port === undefined ? "it takes no calls any more" : `no TCP service of the mesh has port ${port}`;
      throw Object.assign(new Error(`connect ECONNREFUSED: ${what}`), { code: "ECONNREFUSED" });
    }
    return application;
  }

  listen(port: number, application: Parameters<Mesh["listen"]>[1]): () => void {
    const { inside, settings } = this.#parts;
    if (!settings.ports.includes(port)) {
      throw new TypeError(`listen: port ${port} is none of join's ports: ${JSON.stringify(settings.ports)}`);
    }
    if (this.#closed !== undefined) throw new Error("listen: the application has left the mesh");
    const served = new ApplicationPort(application, { address: inside, port }, this.#context);
    this.#served.set(port, served);
    return () => {
      served.stop();
      if (this.#served.get(port) === served) this.#served.delete(port);
    };
  }

  within<T>(headers: IncomingHttpHeaders, work: () => T): T {
    return this.#context.within(headers, work);
  }

  close(): Promise<void> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  async #leave(): Promise<void> {
    this.#parts.stopRenewing?.();
    await this.#parts.sidecar.stop();
    this.agent.destroy();
    for (const served of this.#served.values()) served.stop();
  }
}
