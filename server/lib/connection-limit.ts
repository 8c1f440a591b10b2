import type { Server } from "node:http";
import type { Socket } from "node:net";
import { ConnectionTable } from "./connection-table.ts";

/** At most `max` connections, by ConnectionTable. One counts as idle until its request's head is complete, so heads that trickle are idle too. */
export function limitConnections(server: Server, max: number): void {
  const connections = new ConnectionTable<Socket>(max);
  server.on("connection", (socket: Socket) => {
    if (connections.add(socket)) socket.once("close", () => connections.remove(socket));
  });
  server.on("request", ({ socket }, response) => {
    connections.begin(socket);
    response.once("close", () => connections.end(socket));
  });
}
