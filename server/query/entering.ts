import type { MeshFacts } from "./facts.ts";
import { NodeNames } from "./nodes.ts";
import type { EdgeRow, RollupSum } from "./reader.ts";
import { type TrafficEdge, trafficOf } from "./traffic.ts";

/**
 * The edges by which requests enter the mesh, so that a sum over them has each request once: those of unknown clients. In a mesh without a
 * gateway and without such, those of the nodes that nobody calls.
 */
export function enteringEdges(rows: readonly RollupSum[], facts: MeshFacts): ReadonlySet<EdgeRow> {
  const traffic = trafficOf(rows, new NodeNames(facts), false);
  const roots = rootsOf(traffic.edges);
  const enters = (row: RollupSum) => traffic.counts(row) && roots.has(traffic.edgeOf(row)?.source.id ?? "");
  return new Set(rows.filter(enters).map((row) => row.edge));
}

function rootsOf(edges: readonly TrafficEdge[]): ReadonlySet<string> {
  const clients = edges.filter((edge) => edge.source.kind === "source");
  if (clients.length > 0) return new Set(clients.map((edge) => edge.source.id));
  const called = new Set(edges.map((edge) => edge.target.id));
  return new Set(edges.map((edge) => edge.source.id).filter((id) => !called.has(id)));
}
