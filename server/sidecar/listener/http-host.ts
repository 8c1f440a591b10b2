import type { ConnectionHost, DownstreamConnection } from "./downstream-connection.ts";
import type { HttpManager } from "./manager.ts";

/** An HTTP filter chain as its connections see it: the manager in force changes underneath them. */
export class HttpHost implements ConnectionHost {
  manager: HttpManager;
  readonly onConnectionClosed: (connection: DownstreamConnection) => void;

  constructor(manager: HttpManager, onConnectionClosed: (connection: DownstreamConnection) => void) {
    this.manager = manager;
    this.onConnectionClosed = onConnectionClosed;
  }
}
