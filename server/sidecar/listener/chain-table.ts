import type { TcpProxy } from "../tcp/tcp-proxy.ts";
import type { DownstreamTls } from "../tls/downstream-tls.ts";
import { ChainIndex, type ChainMatch, type ConnectionFacts, looksInside } from "./chain-match.ts";
import type { HttpManager } from "./manager.ts";

/** A compiled filter chain: what its one network filter is. */
export type FilterChain = {
  /** Tells which chain of an update is which of the one before. */
  readonly id: string;
  readonly match: ChainMatch;
  /** TLS that ends here; undefined: plain text, or TLS that passes through. */
  readonly tls: DownstreamTls | undefined;
} & ({ readonly kind: "http"; readonly manager: HttpManager } | { readonly kind: "tcp"; readonly proxy: TcpProxy });

export interface InspectorOptions {
  /** 0: without end. */
  readonly timeoutMs: number;
  readonly continueOnTimeout: boolean;
}

/** A listener's filter chains; immutable. `id`s tell which chain of an update is which of the one before. */
export class ChainTable {
  readonly chains: readonly FilterChain[];
  /** For a connection whose chain depends on its first bytes; undefined: none does. */
  readonly inspector: InspectorOptions | undefined;
  private readonly index: ChainIndex<FilterChain>;
  private readonly fallback: FilterChain | undefined;
  /** The chain of every connection, when there is no choice. */
  private readonly only: FilterChain | undefined;

  /** Throws an Error naming the field. */
  constructor(
    chains: readonly FilterChain[],
    fallback: FilterChain | undefined,
    inspector: InspectorOptions | undefined,
  ) {
    this.chains = fallback === undefined ? chains : [...chains, fallback];
    this.fallback = fallback;
    this.index = new ChainIndex(chains.map((chain) => ({ match: chain.match, chain })));
    this.inspector = chains.some(({ match }) => looksInside(match)) ? inspector : undefined;
    const [first] = this.chains;
    this.only =
      this.chains.length === 1 && (first === fallback || (first && matchesAll(first.match))) ? first : undefined;
  }

  /** Whether every HTTP chain has its routes, and every chain with TLS its secrets. */
  get ready(): boolean {
    return this.chains.every(
      (chain) =>
        (chain.tls?.context.ready ?? true) && (chain.kind === "tcp" || chain.manager.routes.table !== undefined),
    );
  }

  find(facts: () => ConnectionFacts): FilterChain | undefined {
    return this.only ?? this.index.find(facts()) ?? this.fallback;
  }
}

const matchesAll = (match: ChainMatch): boolean =>
  match.port === 0 && match.prefixes.length === 0 && !looksInside(match);
