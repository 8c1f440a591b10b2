import type { DescMessage } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { Exchange } from "../exchange/exchange.ts";
import type { Stats } from "../stats.ts";
import type { Hold } from "./hold.ts";

/**
 * That a request which stops at a filter is looked after: it has been answered (`exchange.reply`), or somebody holds it (`exchange.hold`). Only these two make
 * one, so that no filter can stop a request and forget it.
 */
export type Stopped = Replied | Hold;

/** What `exchange.reply` returns. */
export class Replied {
  readonly answered = true;
}

/** What a filter says of a request. */
export type Step = "go" | Stopped;

/** A step between route selection and router. One instance per place in a chain; what it knows of one request is in the exchange. */
export interface HttpFilter {
  /** As in the connection manager's `http_filters[].name`: the key of per-route config. */
  readonly name: string;
  onRequest?(exchange: Exchange): Step;
  /** Runs in reverse order before the response head is written, for local replies too. */
  onResponse?(exchange: Exchange): void;
}

/** One kind of filter: its file is all that it needs besides its line in the registry. Compilers throw an Error naming the field. */
export interface FilterFactory {
  /** Type inside the `typed_config` of `http_filters`. */
  readonly schema: DescMessage;
  /** Type of what routes, virtual hosts and clusters may say of it. */
  readonly perRouteSchema: DescMessage;
  /** Fields with an effect, for these two and the messages that only they use: {@link SupportedFields}. */
  readonly fields: SupportedFields;
  compile(name: string, config: Any, io: FilterIo): HttpFilter;
  compilePerRoute(config: Any): unknown;
}

/** Fields that have their effect here, by message. `opaque` messages are not looked into: someone else judges them, or they are only carried. */
export type SupportedFields = Readonly<Record<string, readonly string[] | "opaque" | undefined>>;

export interface FilterIo {
  readonly stats: Stats;
  /** `http.<stat_prefix>.` */
  readonly statPrefix: string;
  readonly random: () => number;
}
