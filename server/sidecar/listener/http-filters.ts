import type {
  HttpConnectionManager,
  HttpFilter as HttpFilterProto,
} from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { at, each } from "../config/problems.ts";
import { compileTerminal, filterFactory } from "../filters/registry.ts";
import type { FilterIo, HttpFilter, TerminalFilter } from "../request/filter.ts";
import { DiscoveredFilter, type Extensions, missingFilter } from "./discovered-filter.ts";

/** A manager's filters, the router apart. Those that come by discovery change what `filters` is; who reads it once has a chain that stays. */
export class FilterChain {
  readonly terminal: TerminalFilter;
  readonly discovered: readonly DiscoveredFilter[];
  filters: readonly HttpFilter[] = [];
  /** What its filters want to see, together. */
  wants = 0;
  private readonly places: readonly (HttpFilter | DiscoveredFilter)[];

  constructor(places: readonly (HttpFilter | DiscoveredFilter)[], terminal: TerminalFilter) {
    this.places = places;
    this.terminal = terminal;
    this.discovered = places.filter((place) => place instanceof DiscoveredFilter);
    for (const filter of this.discovered) filter.changed = () => this.assemble();
    this.assemble();
  }

  private assemble(): void {
    this.filters = this.places.map((place) =>
      place instanceof DiscoveredFilter ? (place.current ?? missingFilter) : place,
    );
    this.wants = this.filters.reduce((wants, filter) => wants | (filter.wants ?? 0), 0);
  }
}

/** Throws an Error naming the field. */
export function compileFilters(config: HttpConnectionManager, io: FilterIo, extensions: Extensions): FilterChain {
  let terminal: TerminalFilter | undefined;
  const places = each("http_filters", config.httpFilters, (entry, index) => {
    const compiled = compileFilter(entry, io, extensions);
    if (compiled === undefined || !("terminal" in compiled)) return compiled;
    if (index !== config.httpFilters.length - 1) throw new Error("the router must come last");
    terminal = compiled.terminal;
    return undefined;
  });
  if (terminal === undefined) throw new Error("http_filters: the last filter must be the router");
  return new FilterChain(
    places.filter((place) => place !== undefined),
    terminal,
  );
}

/** Undefined: switched off. */
function compileFilter(
  { name, disabled, configType }: HttpFilterProto,
  io: FilterIo,
  extensions: Extensions,
): HttpFilter | DiscoveredFilter | { terminal: TerminalFilter } | undefined {
  switch (configType.case) {
    case "typedConfig": {
      const any = configType.value;
      const terminal = compileTerminal(any);
      if (terminal !== undefined) return { terminal };
      return disabled ? undefined : at("typed_config", () => filterFactory(any).compile(name, any, io));
    }
    case "configDiscovery":
      if (disabled) return undefined;
      return at(
        "config_discovery",
        () =>
          new DiscoveredFilter(name, configType.value, extensions, (any) =>
            filterFactory(any).compile(name, any, { ...io, firsts: undefined }),
          ),
      );
    default:
      throw new Error("typed_config or config_discovery: required");
  }
}
