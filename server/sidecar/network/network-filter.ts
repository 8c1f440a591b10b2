import type { DescMessage } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { DownstreamFacts } from "../http/stream.ts";
import type { Stats } from "../stats.ts";

/** A connection as network filters see it, before whatever serves it. */
export interface NetworkConnection {
  readonly facts: DownstreamFacts;
  /** Of the ClientHello; may be empty. */
  readonly serverName: string;
}

/** A step before the last filter of a chain, which serves the connection. One instance per place in a chain. */
export interface NetworkFilter {
  /** @returns why the connection is closed, for the log; undefined: it goes on */
  accept(connection: NetworkConnection): string | undefined;
}

/** One kind of network filter: its file is all that it needs besides its line in the registry. */
export interface NetworkFilterFactory {
  readonly schema: DescMessage;
  /** Fields with an effect, by message. */
  readonly fields: Readonly<Record<string, readonly string[] | "opaque" | undefined>>;
  /** Throws an Error naming the field. */
  compile(config: Any, io: { readonly stats: Stats }): NetworkFilter;
}
