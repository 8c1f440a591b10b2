import type { CallSample } from "../contract/index.ts";
import type { LogRow } from "../query/reader.ts";

/** A call as its destination's proxy told it, with who the caller's certificate says that it is. */
export interface RecordedCall {
  readonly atMs: number;
  /** `<namespace>/<workload>`; empty: nobody knows. */
  readonly caller: string;
  /** It came over mutual TLS. */
  readonly mtls: boolean;
  /** The SPIFFE id; undefined: there was none, or it is not known. */
  readonly identity: string | undefined;
  readonly destination: { readonly namespace: string; readonly workload: string; readonly address: string };
  /** Undefined: its line does not tell. */
  readonly port: number | undefined;
  readonly protocol: "http" | "grpc" | "tcp";
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly authority: string;
  readonly code: number;
  /** An RBAC filter refused it when it came. */
  readonly refused: boolean;
  /** Envoy's response code details. */
  readonly details: string;
  readonly requestId: string;
  readonly traceId: string;
}

/** Lines have the name of a workload, certificates its account: `identities` leads from `<namespace>/<workload>` to the SPIFFE id. */
export function recordedCall(row: LogRow, identities: ReadonlyMap<string, string>): RecordedCall {
  const { source, destination, mtls, protocol } = row.edge;
  const caller = source.workload || source.namespace ? `${source.namespace}/${source.workload}` : "";
  return {
    atMs: row.atMs,
    caller,
    mtls,
    identity: mtls ? identities.get(caller) : undefined,
    destination: {
      namespace: destination.namespace,
      workload: destination.workload,
      address: row.proxy.split("~")[1] ?? "",
    },
    port: portOf(row),
    protocol,
    method: row.method,
    path: row.path.replace(/[?#].*$/s, ""),
    authority: row.authority,
    code: row.code,
    refused: /^rbac_access_denied/.test(row.details),
    details: row.details,
    requestId: row.requestId,
    traceId: row.traceId,
  };
}

/** Undefined: its line does not tell. */
export function portOf({ upstreamCluster }: Pick<LogRow, "upstreamCluster">): number | undefined {
  const port = /^inbound\|(\d+)\|/.exec(upstreamCluster)?.[1];
  return port === undefined ? undefined : Number(port);
}

export const sampleOf = ({ atMs, method, path, code, requestId, traceId }: RecordedCall): CallSample => ({
  at: atMs,
  method,
  path,
  code,
  requestId,
  traceId,
});

/** First and last of some calls; there is one at least. */
export function spanOf(calls: readonly RecordedCall[]): { firstAt: number; lastAt: number } {
  let [firstAt, lastAt] = [Number.POSITIVE_INFINITY, 0];
  for (const { atMs } of calls) {
    firstAt = Math.min(firstAt, atMs);
    lastAt = Math.max(lastAt, atMs);
  }
  return { firstAt, lastAt };
}
