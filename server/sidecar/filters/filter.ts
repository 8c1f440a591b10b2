import type { Any } from "@bufbuild/protobuf/wkt";
import type { Exchange } from "../exchange/exchange.ts";
import type { Stats } from "../stats.ts";

/** A step between route selection and router. One instance per place in a chain; what it knows of one request is in the exchange. */
export interface HttpFilter {
  /** As in the connection manager's `http_filters[].name`: the key of per-route config. */
  readonly name: string;
  /** @returns whether the request goes on now; otherwise the filter has replied, or will call `exchange.resume()` */
  onRequest?(exchange: Exchange): boolean;
  /** Runs in reverse order before the response head is written, for local replies too. */
  onResponse?(exchange: Exchange): void;
}

/** How to make a filter from its config, found by the type inside `typed_config`. Compilers throw an Error naming the field. */
export interface FilterFactory {
  readonly typeName: string;
  compile(name: string, config: Any, io: FilterIo): HttpFilter;
  /** Type name of per-route configs, and their compiler. */
  readonly perRouteTypeName: string;
  compilePerRoute(config: Any): unknown;
}

export interface FilterIo {
  readonly stats: Stats;
  /** `http.<stat_prefix>.` */
  readonly statPrefix: string;
  readonly random: () => number;
}
