import type { NetworkFilter } from "../network/network-filter.ts";
import type { TcpProxy } from "../tcp/tcp-proxy.ts";
import { ChainIndex, type ChainMatch, type ConnectionFacts, looksInside } from "./chain-match.ts";
import type { ListenerManager } from "./compile-manager.ts";
import type { ConnectionLogs } from "./connection-log.ts";
import type { DiscoveredPlace } from "./discovered-filter.ts";
import type { DownstreamTls } from "./downstream-tls.ts";
import type { ListenerFilters } from "./listener-filters.ts";
import type { ProxyProtocolOptions } from "./proxy-protocol.ts";

/** A compiled filter chain: whether it ends TLS, its network filters, and what the last of them is. */
export type FilterChain = ChainBase &
  ({ readonly kind: "http"; readonly manager: ListenerManager } | { readonly kind: "tcp"; readonly proxy: TcpProxy });

interface ChainBase {
  readonly id: string;
  readonly match: ChainMatch;
  /** Undefined: bytes are taken as they come. */
  readonly tls: DownstreamTls | undefined;
  /** Before the one that serves. */
  readonly filters: readonly NetworkFilter[];
  /** Those of them that come by discovery. */
  readonly discovered: readonly DiscoveredPlace[];
}

export interface InspectorOptions {
  /** 0: without end. */
  readonly timeoutMs: number;
  readonly continueOnTimeout: boolean;
}

/** A listener's filter chains; immutable. `id`s tell which chain of an update is which of the one before. */
export class ChainTable {
  readonly chains: readonly FilterChain[];
  private readonly filters: ListenerFilters;
  private readonly inspection: InspectorOptions;
  /** Whether a chain depends on a connection's first bytes. */
  private readonly looks: boolean;
  /** Undefined: connections are not told as such. */
  readonly logs: ConnectionLogs | undefined;
  private readonly index: ChainIndex<FilterChain>;
  private readonly fallback: FilterChain | undefined;
  /** The chain of every connection, when there is no choice. */
  private readonly only: FilterChain | undefined;
  private firsts: "to come" | "begun" | "done";

  /** Throws an Error naming the field. */
  constructor(
    chains: readonly FilterChain[],
    fallback: FilterChain | undefined,
    filters: ListenerFilters,
    inspection: InspectorOptions,
    logs?: ConnectionLogs,
  ) {
    this.filters = filters;
    this.inspection = inspection;
    this.logs = logs;
    this.chains = fallback === undefined ? chains : [...chains, fallback];
    this.fallback = fallback;
    this.index = new ChainIndex(chains.map((chain) => ({ match: chain.match, chain })));
    this.firsts = this.chains.some((chain) => chain.kind === "http" && chain.manager.firsts.length > 0)
      ? "to come"
      : "done";
    const choosesProtocol = chooseProtocol(chains, fallback);
    if (choosesProtocol !== undefined && !filters.mayInspect) {
      throw new Error(`${choosesProtocol}.alpn_protocols: needs a tls_inspector among the listener_filters`);
    }
    this.looks = choosesProtocol !== undefined || chains.some(({ match }) => looksInside(match));
    const [first] = this.chains;
    this.only =
      this.chains.length === 1 && (first === fallback || (first && matchesAll(first.match))) ? first : undefined;
  }

  /** For a connection whose chain depends on its first bytes; undefined: none does, or nobody reads them. */
  get inspector(): InspectorOptions | undefined {
    return this.looks && this.filters.inspects ? this.inspection : undefined;
  }

  /** Undefined: nobody in front of the clients speaks for them. */
  get proxyProtocol(): ProxyProtocolOptions | undefined {
    return this.filters.proxyProtocol;
  }

  /** How long what comes before a filter chain may take; 0: without end. */
  get filtersTimeoutMs(): number {
    return this.inspection.timeoutMs;
  }

  /** Whether a listener filter isn't there, without which nobody is let in. */
  get incomplete(): boolean {
    return this.filters.incomplete;
  }

  /** Begins what is to have happened before connections are taken; called when clusters are ready. @param done called when all of it has */
  begin(done: () => void): void {
    if (this.firsts !== "to come") return;
    this.firsts = "begun";
    const all = this.chains.flatMap((chain) => (chain.kind === "http" ? chain.manager.firsts : []));
    void Promise.allSettled(all.map((first) => first())).then(() => {
      this.firsts = "done";
      done();
    });
  }

  /** Whether every HTTP chain has its routes and the filters that it waits for, and every TLS chain its secrets. */
  get ready(): boolean {
    return (
      this.firsts === "done" &&
      this.chains.every(
        (chain) =>
          chain.tls?.common.settled !== false && (chain.kind === "tcp" || chain.manager.routes.table !== undefined),
      ) &&
      this.discovered.every(({ settled }) => settled)
    );
  }

  get discovered(): DiscoveredPlace[] {
    const ofChains = this.chains.flatMap((chain) => [
      ...chain.discovered,
      ...(chain.kind === "tcp" ? [] : chain.manager.discovered),
    ]);
    return [...this.filters.discovered, ...ofChains];
  }

  get secretNames(): string[] {
    return this.chains.flatMap(({ tls }) => tls?.common.secretNames ?? []);
  }

  find(facts: () => ConnectionFacts): FilterChain | undefined {
    return this.only ?? this.index.find(facts()) ?? this.fallback;
  }
}

const matchesAll = (match: ChainMatch): boolean =>
  match.port === 0 && match.prefixes.length === 0 && !looksInside(match);

/** Node breaks off where client and server have no protocol in common; Envoy goes on without one, for which the offer must be known first. */
function chooseProtocol(chains: readonly FilterChain[], fallback: FilterChain | undefined): string | undefined {
  const context = "transport_socket.typed_config.common_tls_context";
  const index = chains.findIndex(({ tls }) => tls !== undefined && tls.common.protocols.length > 0);
  if (index !== -1) return `filter_chains[${index}].${context}`;
  return fallback?.tls !== undefined && fallback.tls.common.protocols.length > 0
    ? `default_filter_chain.${context}`
    : undefined;
}
