import { type NodeIdentity, type NodeNames, unknownSource } from "./nodes.ts";
import type { EdgeRow, RollupRow, RollupSum } from "./reader.ts";
import { Tally } from "./tally.ts";

/** Calls from one node to another over one protocol, as each side told of them. */
export interface TrafficEdge {
  id: string;
  source: NodeIdentity;
  target: NodeIdentity;
  /** The hostname most of the calls were addressed to. */
  service: string;
  protocol: "http" | "grpc" | "tcp";
  /** Share of calls that came over mutual TLS, which only the destination sees; 0 where it told nothing. */
  mtls: number;
  reported: { source: Tally | undefined; destination: Tally | undefined };
  /** What counts: the source's word where there is one, as only it saw the calls that never arrived; else the destination's. */
  counted: Tally;
}

export interface Traffic {
  edges: TrafficEdge[];
  /** The edge a row went into. */
  edgeOf(row: RollupSum): TrafficEdge | undefined;
  /** Whether a row is of the side that counts, so that a sum over such rows has each request once. */
  counts(row: RollupSum): boolean;
}

/** Sums rows to edges; a request that both sides told of is counted once. */
export function trafficOf(rows: Iterable<RollupSum>, names: NodeNames, withLatency = true): Traffic {
  const drafts = new Map<string, Draft>();
  // Rows of one edge share its object: names are made once for each.
  const ofEdge = new Map<EdgeRow, Draft>();
  for (const row of rows) {
    let draft = ofEdge.get(row.edge);
    if (draft === undefined) {
      draft = draftOf(drafts, row.edge, names);
      ofEdge.set(row.edge, draft);
    }
    addRow(draft, row, withLatency);
  }
  for (const draft of drafts.values()) finish(draft);
  const again = toldAgain([...drafts.values()].map((draft) => draft.edge));
  const known = (edge: TrafficEdge | undefined) => (edge !== undefined && again.has(edge) ? undefined : edge);
  return {
    edges: [...drafts.values()].flatMap((draft) => known(draft.edge) ?? []),
    edgeOf: (row) => known(ofEdge.get(row.edge)?.edge),
    counts: (row) => {
      if (row.edge.reporter === "source") return true;
      const edge = ofEdge.get(row.edge)?.edge;
      return edge?.reported.source === undefined && !(edge && again.has(edge));
    },
  };
}

/**
 * A TCP connection carries no header that tells its destination who calls, and its certificate not always which workload of an account: what
 * it tells of nobody's connections, or of some version's, is, as far as anyone knows, what callers with a proxy have told already. Only where
 * none of them told anything it is all there is to know.
 */
function toldAgain(edges: readonly TrafficEdge[]): ReadonlySet<TrafficEdge> {
  const tcp = edges.filter((edge) => edge.protocol === "tcp");
  const reached = new Set(tcp.filter((edge) => edge.reported.source !== undefined).map((edge) => edge.target.id));
  const callOf = ({ source, target }: TrafficEdge) => `${source.namespace}/${source.app} ${target.id}`;
  const told = new Set(tcp.filter((edge) => edge.reported.source !== undefined).map(callOf));
  return new Set(
    tcp.filter((edge) =>
      edge.source.id === unknownSource.id
        ? reached.has(edge.target.id)
        : edge.source.version === null && edge.reported.source === undefined && told.has(callOf(edge)),
    ),
  );
}

/**
 * The rows that tell what callers were answered: a destination's word on calls of which the source told too is a second count, or a
 * mirrored request, that no caller waits for and no source logs.
 */
export function answeredRows(rows: readonly RollupRow[], names: NodeNames): RollupRow[] {
  const callers = new Map<EdgeRow, string>();
  const caller = ({ edge }: RollupRow): string => {
    const known = callers.get(edge);
    if (known !== undefined) return known;
    const fresh = `${names.source(edge.source, edge.gateway).id}>${edge.service}`;
    callers.set(edge, fresh);
    return fresh;
  };
  const telling = new Set(rows.filter((row) => row.edge.reporter === "source").map(caller));
  return rows.filter((row) => row.edge.reporter === "source" || !telling.has(caller(row)));
}

interface Draft {
  edge: TrafficEdge;
  services: Map<string, number>;
  /** Calls that the destination told of, and those of them that came over mutual TLS. */
  told: number;
  mutual: number;
}

/** Until a draft is finished; every draft has a row. */
const untold = new Tally();

function draftOf(drafts: Map<string, Draft>, row: EdgeRow, names: NodeNames): Draft {
  const { protocol } = row;
  const source = names.source(row.source, row.gateway && row.reporter === "source");
  const target = names.target(row.destination, row.service, row.gateway && row.reporter === "destination");
  const id = `${source.id}>${target.id}:${protocol}`;
  let draft = drafts.get(id);
  if (draft === undefined) {
    const reported = { source: undefined, destination: undefined };
    const edge = { id, source, target, service: row.service, protocol, mtls: 0, reported, counted: untold };
    draft = { edge, services: new Map(), told: 0, mutual: 0 };
    drafts.set(id, draft);
  }
  // Whichever side is a gateway says so itself; the other one does not know.
  if (source.kind === "gateway") draft.edge.source = source;
  if (target.kind === "gateway") draft.edge.target = target;
  return draft;
}

function addRow(draft: Draft, row: RollupSum, withLatency: boolean): void {
  const { edge, services } = draft;
  const side = row.edge.reporter;
  if (side === "destination") {
    draft.told += row.count;
    if (row.edge.mtls) draft.mutual += row.count;
  }
  let tally = edge.reported[side];
  if (tally === undefined) {
    tally = new Tally();
    edge.reported[side] = tally;
  }
  tally.add(row, withLatency);
  // The source knows the name that was called, the destination only its own.
  const weight = side === "source" ? row.count : row.count / 1e9;
  services.set(row.edge.service, (services.get(row.edge.service) ?? 0) + weight);
}

function finish({ edge, services, told, mutual }: Draft): void {
  edge.mtls = told > 0 ? mutual / told : 0;
  edge.service = [...services].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
  edge.counted = edge.reported.source ?? edge.reported.destination ?? edge.counted;
}
