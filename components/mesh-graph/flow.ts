import type { Flow, GraphEdge } from "../../server/contract/index.ts";

/** What goes both ways, of all that tell it. */
export function flowOf(all: readonly (Flow | undefined)[]): Flow | undefined {
  const told = all.flatMap((flow) => flow ?? []);
  if (told.length === 0) return undefined;
  return {
    sent: told.reduce((sum, { sent }) => sum + sent, 0),
    received: told.reduce((sum, { received }) => sum + received, 0),
  };
}

/** What goes over calls that are connections, all of them; undefined where there is a request among them, or nothing. */
export const connectionsOnly = (calls: readonly Pick<GraphEdge, "bytesPerSecond">[]): Flow | undefined =>
  calls.every(({ bytesPerSecond }) => bytesPerSecond)
    ? flowOf(calls.map(({ bytesPerSecond }) => bytesPerSecond))
    : undefined;
