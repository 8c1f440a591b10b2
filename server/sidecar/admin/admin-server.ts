import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { errorBody } from "../../lib/error-body.ts";
import { createHttpListener, type RequestTarget } from "../../lib/http-listener.ts";
import type { ListeningSocket, SocketHandle } from "../../lib/succession.ts";
import { listeningSocket } from "../listener/inherited-sockets.ts";
import { isOwnHost } from "./allowed-host.ts";
import { type AdminSources, type Handler, handlers, helpText, type Reply } from "./handlers.ts";

/** Envoy's admin interface over HTTP. Answers only to names of this machine; changes need POST and no foreign Origin. */
export class AdminServer {
  readonly #server: Server;
  readonly #host: string;

  private constructor(host: string, sources: AdminSources) {
    this.#host = host;
    this.#server = createHttpListener(
      (request, response, target) => void this.#answer(sources, request, response, target),
      {
        limits: { headersTimeoutMs: 10_000, requestTimeoutMs: 10_000, keepAliveTimeoutMs: 60_000 },
      },
    );
  }

  /** Rejects when the port is taken. Port 0 takes a free one. `reusePort` lets a successor listen beside it; `inherited` is the socket of a predecessor. */
  static async listen(
    address: { host: string; port: number },
    sources: AdminSources,
    { reusePort = false, inherited }: { reusePort?: boolean | undefined; inherited?: SocketHandle | undefined } = {},
  ): Promise<AdminServer> {
    const admin = new AdminServer(address.host, sources);
    await new Promise<void>((resolve, reject) => {
      admin.#server.once("error", reject);
      admin.#server.listen(inherited ?? { host: address.host, port: address.port, reusePort }, () => resolve());
    });
    return admin;
  }

  /** For a successor. */
  socket({ host, port }: { host: string; port: number }): ListeningSocket | undefined {
    return listeningSocket(this.#server, host, port);
  }

  get address(): { host: string; port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(
    sources: AdminSources,
    request: IncomingMessage,
    response: ServerResponse,
    target: RequestTarget,
  ): Promise<void> {
    request.resume(); // bodies have no meaning here
    let reply: Reply;
    try {
      const handler = this.#handlerFor(request, target);
      if ("reply" in handler && handler.gathers) await sources.gather?.();
      reply = "reply" in handler ? handler.reply(sources, new URLSearchParams(target.query)) : handler;
    } catch (error) {
      reply = { status: 500, body: `${error instanceof Error ? error.message : String(error)}\n` };
    }
    const { status = 200 } = reply;
    // Envoy answers failures in plain text, which is what its tools expect; a program that asks for JSON gets the body of our other ports.
    if (status >= 400 && /\bapplication\/json\b/.test(request.headers.accept ?? "")) {
      reply = { status, json: true, body: JSON.stringify(errorBody(status, reply.body.trim())) };
    }
    response.writeHead(status, {
      "content-type": reply.json ? "application/json" : "text/plain; charset=UTF-8",
      "cache-control": "no-cache, max-age=0",
      "x-content-type-options": "nosniff",
      server: "limpid-sidecar",
    });
    response.end(request.method === "HEAD" ? undefined : reply.body);
  }

  /** The handler, or what the request is refused with. */
  #handlerFor(request: IncomingMessage, { path }: RequestTarget): Handler | Reply {
    const { host, origin } = request.headers;
    if (!isOwnHost(host, this.#host)) return { status: 403, body: `host ${host} is not allowed\n` };
    const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
    if (handler === undefined) {
      return { status: 404, body: helpText("invalid path. admin commands are:\n") };
    }
    const method = request.method ?? "GET";
    if (handler.mutates) {
      if (method !== "POST") return { status: 405, body: `Method ${method} not allowed, POST required.` };
      if (!isOwnHost(origin, this.#host)) return { status: 403, body: `origin ${origin} is not allowed\n` };
    } else if (method !== "GET" && method !== "HEAD" && method !== "POST") {
      return { status: 405, body: `Method ${method} not allowed.` };
    }
    return handler;
  }
}
