import type { Endpoint, EndpointConfig } from "./endpoint.ts";

/** What a call says of where it goes, for clusters that have no hosts before somebody calls one. */
export interface CallTarget {
  /** As the request names it, maybe with a port; of TCP: the server name of the client's hello. */
  readonly host: string;
  /** That a filter has chosen; undefined: the host's own, or the protocol's. */
  readonly port: number | undefined;
  readonly headers: readonly string[];
  /** Where the connection was going before it came here, where that is known. */
  readonly destination: { readonly address: string; readonly port: number } | undefined;
}

/** Finds the host of one call. */
export interface HostFinder {
  /** Calls back once, maybe at once: with the host, or why there is none. @returns takes the question back */
  find(target: CallTarget, done: (found: Endpoint | string) => void): () => void;
  close(): void;
}

/** The cluster whose hosts they are. */
export interface FoundHosts {
  /** In place of those before; hosts whose key stays keep their connections. */
  publish(hosts: Iterable<EndpointConfig>): void;
  endpoint(key: string): Endpoint | undefined;
}

/** What a host is that only its address is known of. */
export const foundHost = (key: string, address: string, port: number, hostname: string): EndpointConfig => ({
  key,
  address,
  port,
  hostname,
  weight: 1,
  healthFlag: 0,
  priority: 0,
  locality: noLocality,
  metadata: undefined,
  check: undefined,
});

const noLocality = { region: "", zone: "", subZone: "", weight: 0 };

/** `name`, `name:port`, `[::1]:port` or `::1`. */
export function splitHost(text: string, defaultPort: number): { name: string; port: number } {
  const bracket = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const plain = bracket ?? /^([^:]*)(?::(\d{1,5}))?$/.exec(text);
  if (plain === null) return { name: text, port: defaultPort };
  const port = plain[2] === undefined ? defaultPort : Number(plain[2]);
  return { name: (plain[1] ?? "").toLowerCase(), port: port > 65_535 ? defaultPort : port };
}
