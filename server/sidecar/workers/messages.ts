import type { ReceivedResource } from "../../xds/client/delta-state.ts";
import type { TypeUrl } from "../../xds/types.ts";
import type { SeriesSnapshot } from "../access-log/istio-metrics.ts";
import type { ClusterView, ListenerView } from "../admin/views.ts";
import type { RuntimeValue } from "../runtime.ts";
import type { StatsSnapshot } from "../stats-snapshot.ts";

/** What the main process, which has the admin and the control plane, tells those that serve. */
export type ToWorker =
  /** Resources that the main process has taken, and names that are gone or that nobody has. */
  | { kind: "resources"; typeUrl: TypeUrl; added: ReceivedResource[]; removed: string[] }
  /** Answers `listen`; with the socket, or why there is none. */
  | { kind: "socket"; id: number; error?: { code: string; message: string } }
  | { kind: "report"; id: number; pages: boolean }
  /** `asked` is a LoadStatsResponse. */
  | { kind: "loads"; id: number; asked: Uint8Array; what: "begin" | "track" | "report" }
  | { kind: "runtime"; name: string; values: ReadonlyMap<string, RuntimeValue> }
  | { kind: "health checks"; fail: boolean }
  | { kind: "log level"; level: string }
  | { kind: "drain listeners" }
  | { kind: "reopen logs" }
  | { kind: "reset counters" }
  /** Send clients away, let requests end, and end. */
  | { kind: "drain"; handedOver: boolean };

export type FromWorker =
  /** Ready to be told. */
  | { kind: "hello" }
  | { kind: "listen"; id: number; name: string; address: string; port: number }
  /** All that it was told is in force, and its listeners listen. */
  | { kind: "live" }
  /** Without an id: the last one of a worker that ends. */
  | { kind: "report"; id?: number; report: WorkerReport }
  /** Each a ClusterStats. */
  | { kind: "loads"; id: number; loads: Uint8Array[] };

/** What a worker has counted since it began, and what the admin's pages show of it. */
export interface WorkerReport {
  readonly stats: StatsSnapshot;
  readonly istio: readonly SeriesSnapshot[];
  /** Absent where only counts were asked for. */
  readonly clusters?: readonly ClusterView[];
  readonly listeners?: readonly ListenerView[];
}

/** Says in a worker's environment which one it is: `0` … */
export const workerVariable = "LIMPID_SIDECAR_WORKER";
