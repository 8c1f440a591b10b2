import type { VirtualHost } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import type { HttpConnectionManager } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { each, together } from "../config/problems.ts";
import type { PerFilterCompiler } from "./compile-route.ts";
import type { RouteSource } from "./route-source.ts";
import { type CompiledVirtualHost, compileVirtualHost, RouteTable } from "./route-table.ts";

/** All route configurations with the virtual hosts that VHDS adds to them, and who uses which. */
export class RouteSet {
  private readonly sources = new Map<string, NamedSource>();
  /** Name of the RDS route configuration by listener. */
  private readonly users = new Map<string, string>();
  private readonly perFilter: PerFilterCompiler;
  private readonly changed: () => void;

  /** @param changed called when a listener may have got its routes */
  constructor(perFilter: PerFilterCompiler, changed: () => void) {
    this.perFilter = perFilter;
    this.changed = changed;
  }

  /** The holder a connection manager reads its table from. Throws an Error naming the field. `use` marks the listener as a user of it. */
  sourceFor(listener: string, config: HttpConnectionManager): { source: RouteSource; use: () => void } {
    const specifier = config.routeSpecifier;
    switch (specifier.case) {
      case "routeConfig": {
        const table = compileTable(specifier.value, this.perFilter);
        return { source: { table }, use: () => this.users.delete(listener) };
      }
      case "rds": {
        const name = specifier.value.routeConfigName;
        return { source: this.named(name).source, use: () => this.users.set(listener, name) };
      }
      default:
        throw new Error("route_specifier: rds or route_config is required");
    }
  }

  unuse(listener: string): void {
    this.users.delete(listener);
  }

  /** Builds the new table beside the old one and swaps; virtual hosts of VHDS move over. */
  put(config: RouteConfiguration): void {
    const table = compileTable(config, this.perFilter);
    const named = this.named(config.name);
    named.vhds = config.vhds !== undefined;
    if (named.vhds) for (const [resource, host] of named.hosts) table.put(resource, host);
    named.table = table;
    this.publish(named);
  }

  remove(name: string): void {
    const named = this.sources.get(name);
    if (named === undefined) return;
    named.table = undefined;
    named.source.table = undefined;
    clearTimeout(named.grace);
  }

  putVirtualHost(routeConfigName: string, proto: VirtualHost, resourceName: string): void {
    const host = compileVirtualHost(proto, this.perFilter);
    const named = this.named(routeConfigName);
    if (named.vhds) named.table?.put(resourceName, host);
    named.hosts.set(resourceName, host);
    this.publish(named);
  }

  removeVirtualHost(resourceName: string): void {
    for (const named of this.sources.values()) {
      if (named.hosts.delete(resourceName)) named.table?.delete(resourceName);
    }
  }

  required(): string[] {
    return [...new Set(this.users.values())];
  }

  wantsVhds(): boolean {
    for (const named of this.sources.values()) if (named.vhds && named.table !== undefined) return true;
    return false;
  }

  table(name: string): RouteTable | undefined {
    return this.sources.get(name)?.table;
  }

  close(): void {
    for (const named of this.sources.values()) clearTimeout(named.grace);
  }

  /**
   * A table is served once it has virtual hosts. One that waits for VHDS and gets none within two seconds is served empty: it may really have none, and
   * refusing connections for ever would hide that.
   */
  private publish(named: NamedSource): void {
    if (named.table === undefined) return;
    const waits = named.vhds && named.hosts.size === 0 && named.source.table === undefined;
    clearTimeout(named.grace);
    if (waits) {
      named.grace = setTimeout(() => this.serve(named), vhdsGraceMs).unref();
      return;
    }
    this.serve(named);
  }

  private serve(named: NamedSource): void {
    // A virtual host in a table that is in force is no news to a listener.
    if (named.source.table === named.table) return;
    named.source.table = named.table;
    this.changed();
  }

  private named(name: string): NamedSource {
    let named = this.sources.get(name);
    if (named === undefined) {
      named = { source: { table: undefined }, table: undefined, vhds: false, hosts: new Map(), grace: undefined };
      this.sources.set(name, named);
    }
    return named;
  }
}

const vhdsGraceMs = 2000;

interface NamedSource {
  readonly source: RouteSource;
  table: RouteTable | undefined;
  vhds: boolean;
  /** From VHDS, by resource name. */
  readonly hosts: Map<string, CompiledVirtualHost>;
  grace: NodeJS.Timeout | undefined;
}

/** Throws an Error naming the field. */
export function compileTable(config: RouteConfiguration, perFilter: PerFilterCompiler): RouteTable {
  const { table, hosts } = together<{ table: RouteTable; hosts: CompiledVirtualHost[] }>({
    table: () => new RouteTable(config, perFilter),
    hosts: () => each("virtual_hosts", config.virtualHosts, (host) => compileVirtualHost(host, perFilter)),
  });
  each("virtual_hosts", hosts, (host) => table.put(host.name, host));
  return table;
}
