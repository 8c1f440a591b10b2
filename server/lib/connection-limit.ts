import type { Server } from "node:http";
import type { Socket } from "node:net";

/**
 * At most `max` connections. One more takes the place of the one that has been without a request for longest, so that connections which only
 * stand there (they cost whoever opens them nothing) lock nobody out; while every one has a request running, the newcomer is closed.
 * A connection counts as idle until its request's head is complete, so heads that trickle are idle too.
 */
export function limitConnections(server: Server, max: number): void {
  /** Open requests of each connection. Whoever becomes idle goes to the end: the first idle one is the idlest. */
  const connections = new Map<Socket, number>();

  const evict = (): boolean => {
    for (const [socket, requests] of connections) {
      if (requests > 0) continue;
      connections.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  };

  server.on("connection", (socket: Socket) => {
    if (connections.size >= max && !evict()) {
      socket.destroy();
      return;
    }
    connections.set(socket, 0);
    socket.once("close", () => connections.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    const count = connections.get(socket);
    if (count === undefined) return;
    connections.set(socket, count + 1);
    response.once("close", () => {
      const open = connections.get(socket);
      if (open === undefined) return;
      connections.delete(socket);
      connections.set(socket, open - 1);
    });
  });
}
