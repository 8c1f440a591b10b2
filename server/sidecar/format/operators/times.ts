import type { RequestRecord } from "../../record.ts";
import { needs, type Operator, type OperatorMaker, type Operators, plain } from "./operator.ts";
import { compileTime } from "./start-time.ts";

const time = (ms: number): number | undefined => (ms > 0 ? Math.floor(ms) : undefined);
const since = (from: number, to: number): number | undefined =>
  from > 0 && to > 0 ? Math.max(0, Math.floor(to - from)) : undefined;

/** Milliseconds since the start; undefined: it never came to that. */
const points: Record<string, ((record: RequestRecord) => number | undefined) | undefined> = {
  DS_RX_BEG: () => 0,
  DS_RX_END: ({ timeToLastDownstreamRxMs: ms }) => ms || undefined,
  US_TX_BEG: ({ timeToFirstUpstreamTxMs: ms }) => ms || undefined,
  US_TX_END: ({ timeToLastUpstreamTxMs: ms }) => ms || undefined,
  US_RX_BEG: ({ timeToFirstUpstreamRxMs: ms }) => ms || undefined,
  US_RX_END: ({ timeToLastUpstreamRxMs: ms }) => ms || undefined,
  DS_TX_BEG: ({ timeToFirstDownstreamTxMs: ms }) => ms || undefined,
  DS_TX_END: ({ timeToLastDownstreamTxMs: ms }) => ms || undefined,
};

const perMs: Record<string, number | undefined> = { ms: 1, us: 1_000, ns: 1_000_000 };

/** `FROM:TO[:ms|us|ns]` */
const commonDuration = needs((argument) => {
  const [from = "", to = "", unit = "ms", ...rest] = argument.split(":");
  const [begin, end, factor] = [points[from], points[to], perMs[unit]];
  if (begin === undefined || end === undefined || factor === undefined || rest.length > 0) return undefined;
  return (record) => {
    const [a, b] = [begin(record), end(record)];
    return a === undefined || b === undefined || b < a ? undefined : Math.floor((b - a) * factor);
  };
});

const moment =
  (read: (record: RequestRecord) => number | undefined, local: boolean): OperatorMaker =>
  (argument) => {
    const format = compileTime(argument || (local ? "%Y-%m-%dT%H:%M:%E3S%z" : "%Y-%m-%dT%H:%M:%E3SZ"), local);
    return (record) => {
      const ms = read(record);
      return ms === undefined ? undefined : format(ms);
    };
  };

const started = (record: RequestRecord) => record.startMs;

/** In a header of the response the request is not over: what has passed till now. */
const duration: Operator = (record) => Math.floor(record.durationMs || performance.now() - record.startMonotonicMs);

export const timeOperators: Operators = {
  START_TIME: moment(started, false),
  START_TIME_LOCAL: moment(started, true),
  EMIT_TIME: moment(() => Date.now(), false),
  EMIT_TIME_LOCAL: moment(() => Date.now(), true),
  DOWNSTREAM_PEER_CERT_V_START: moment(({ downstreamTls }) => downstreamTls?.peer?.validFromMs, false),
  DOWNSTREAM_PEER_CERT_V_END: moment(({ downstreamTls }) => downstreamTls?.peer?.validToMs, false),
  UPSTREAM_PEER_CERT_V_START: moment(({ upstreamTls }) => upstreamTls?.peer?.validFromMs, false),
  UPSTREAM_PEER_CERT_V_END: moment(({ upstreamTls }) => upstreamTls?.peer?.validToMs, false),
  DURATION: plain(duration),
  COMMON_DURATION: commonDuration,
  REQUEST_DURATION: plain(({ timeToLastDownstreamRxMs }) => time(timeToLastDownstreamRxMs)),
  REQUEST_TX_DURATION: plain(({ timeToLastUpstreamTxMs }) => time(timeToLastUpstreamTxMs)),
  RESPONSE_DURATION: plain(({ timeToFirstUpstreamRxMs }) => time(timeToFirstUpstreamRxMs)),
  RESPONSE_TX_DURATION: plain(({ timeToFirstUpstreamRxMs, timeToLastDownstreamTxMs }) =>
    since(timeToFirstUpstreamRxMs, timeToLastDownstreamTxMs),
  ),
  UPSTREAM_CONNECTION_POOL_READY_DURATION: plain(({ upstreamProtocol, poolReadyMs }) =>
    upstreamProtocol === "" ? undefined : Math.floor(poolReadyMs),
  ),
};
