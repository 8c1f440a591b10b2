import type { Http2Options } from "../../http2/options.ts";
import type { Timers } from "../../lib/timers.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { ParserLimits } from "../http1/parser.ts";
import type { AccessLogger, ListenerPlace, Tracer } from "../record.ts";
import type { RouteSource } from "../route/route-source.ts";
import type { Runtime } from "../runtime.ts";
import type { WallClock } from "../wall-clock.ts";
import type { ClientCertificateOptions } from "./client-certificate.ts";
import type { HttpFilter, TerminalFilter } from "./filter.ts";
import type { ManagerStats } from "./manager-stats.ts";
import type { EscapedSlashes } from "./normalize-path.ts";

/** A compiled HttpConnectionManager: everything a request needs, immutable but for the holders inside. */
export interface HttpManager {
  readonly options: ManagerOptions;
  readonly codec: "auto" | "http1" | "http2";
  readonly limits: ParserLimits;
  readonly http2: Http2Options;
  readonly filters: readonly HttpFilter[];
  /** What its filters want to see, together: {@link HttpFilter.wants}. */
  readonly wants: number;
  readonly terminal: TerminalFilter;
  readonly routes: RouteSource;
  readonly stats: ManagerStats;
  readonly accessLoggers: readonly AccessLogger[];
  readonly tracer: Tracer | undefined;
  readonly direction: "inbound" | "outbound";
  readonly place: ListenerPlace;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly timers: Timers;
  readonly random: () => number;
  readonly runtime: Runtime;
  readonly wall: WallClock;
}

export interface ManagerOptions {
  /** Limits of 0 are off. */
  readonly streamIdleMs: number;
  readonly connectionIdleMs: number;
  readonly requestHeadersMs: number;
  readonly maxStreamMs: number;
  readonly maxConnectionMs: number;
  readonly maxRequestsPerConnection: number;
  readonly delayedCloseMs: number;
  readonly useRemoteAddress: boolean;
  readonly skipXffAppend: boolean;
  readonly clientCertificate: ClientCertificateOptions;
  readonly isInternal: (address: string) => boolean;
  readonly via: string;
  readonly generateRequestId: boolean;
  readonly preserveRequestId: boolean;
  readonly requestIdInResponse: boolean;
  readonly serverName: string;
  readonly serverHeader: "overwrite" | "append_if_absent" | "pass_through";
  readonly upgrades: ReadonlySet<string>;
  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: EscapedSlashes;
  readonly stripTrailingHostDot: boolean;
  readonly stripPort: "none" | "any" | "matching";
  readonly acceptHttp10: boolean;
  readonly defaultHost: string;
  /** Request body kept for replay and while there is no upstream. */
  readonly bufferLimit: number;
}
