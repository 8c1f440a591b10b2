import type { DescMessage } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { Cluster } from "../cluster/cluster.ts";
import type { DownstreamFacts } from "../http/stream.ts";
import type { Runtime } from "../runtime.ts";
import type { Stats } from "../stats.ts";

/** A connection as network filters see it, before whatever serves it. */
export interface NetworkConnection {
  readonly facts: DownstreamFacts;
  /** Of the ClientHello; may be empty. */
  readonly serverName: string;
  /** Of the upstream, for clusters that find the host of each connection; undefined: the protocol's own. */
  forwardPort: number | undefined;
  /** What filters have found out, by their names, for those that come later. */
  readonly metadata: Record<string, Readonly<Record<string, unknown>>>;
  /** Runs once, when the connection is gone, whoever ends it. */
  onClose(act: () => void): void;
}

/** Why a connection is closed. */
export interface Refusal {
  /** For the log. */
  readonly details: string;
  /** Bits of ResponseFlag. */
  readonly flags: number;
  /** How long its client is kept waiting for that. */
  readonly delayMs: number;
}

/** Somebody else decides. `ask` answers once with `done`, unless what it returns cancels it. */
export class Undecided {
  readonly ask: (done: (refusal: Refusal | undefined) => void) => () => void;

  constructor(ask: Undecided["ask"]) {
    this.ask = ask;
  }
}

/** A step before the last filter of a chain, which serves the connection. One instance per place in a chain. */
export interface NetworkFilter {
  /** Undefined: it goes on. */
  accept(connection: NetworkConnection): Refusal | Undecided | undefined;
}

export interface NetworkIo {
  readonly stats: Stats;
  readonly runtime: Runtime;
  readonly random: () => number;
  readonly clusters: ReadonlyMap<string, Cluster>;
}

/** One kind of network filter: its file is all that it needs besides its line in the registry. */
export interface NetworkFilterFactory {
  readonly schema: DescMessage;
  /** Fields with an effect, by message. */
  readonly fields: Readonly<Record<string, readonly string[] | "opaque" | undefined>>;
  /** Throws an Error naming the field. */
  compile(config: Any, io: NetworkIo): NetworkFilter;
}

/** As Envoy joins a filter's stats: a dot behind the prefix, unless it has one. */
export const statPrefix = (...parts: string[]): string =>
  parts.map((part) => (part.endsWith(".") ? part : `${part}.`)).join("");
