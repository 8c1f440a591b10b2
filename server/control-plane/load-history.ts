import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { Clock } from "../lib/clock.ts";
import { nanos, type ResourceMetrics, textAttribute } from "../lib/otlp-metrics.ts";
import type { LoadCounts } from "../xds/load-reports.ts";

export interface LoadHistoryOptions {
  clock: Clock;
  /** Keeps them; false: it did not take them, and is told again later. */
  send(metrics: readonly ResourceMetrics[]): Promise<boolean>;
  everyMs?: number;
  /** Of clients and what each calls, until they are sent. */
  maxSeries?: number;
  /** What there was no room for. */
  onLost?(series: number): void;
}

interface Series extends Pick<LoadCounts, "cluster" | "locality" | "requests" | "errors" | "dropped" | "inProgress"> {
  readonly node: string;
  /** As proxies' own metrics have it. */
  readonly from: string;
  /** The service's host. */
  readonly destination: string;
}

/**
 * What clients report of the load that they send (LRS), handed on as metrics to who keeps them over time. Only what goes to a service counts: of a proxy's
 * connections to us nobody asks.
 */
export class LoadHistory {
  readonly #options: LoadHistoryOptions;
  readonly #everyMs: number;
  readonly #maxSeries: number;
  #series = new Map<string, Series>();
  #sinceMs: number;
  #timer: { cancel(): void } | undefined;

  constructor(options: LoadHistoryOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? 10_000;
    this.#maxSeries = options.maxSeries ?? 10_000;
    this.#sinceMs = options.clock.now();
  }

  start(): void {
    this.#timer = this.#options.clock.setTimeout(() => void this.#flush(), this.#everyMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  record({ id, cluster: from }: Pick<Node, "id" | "cluster">, counts: readonly LoadCounts[]): void {
    for (const one of counts) {
      const [direction, , , destination] = one.cluster.split("|");
      if (direction !== "outbound" || !destination) continue;
      if (one.requests + one.errors + one.dropped + one.inProgress === 0) continue;
      this.#add({ ...one, node: id, from: from || id, destination });
    }
  }

  #add(one: Series): void {
    const key = `${one.node}\0${one.cluster}\0${one.locality}`;
    const before = this.#series.get(key);
    if (before) {
      before.requests += one.requests;
      before.errors += one.errors;
      before.dropped += one.dropped;
      before.inProgress = one.inProgress;
    } else if (this.#series.size < this.#maxSeries) this.#series.set(key, one);
    else this.#options.onLost?.(1);
  }

  async #flush(): Promise<void> {
    const { clock, send } = this.#options;
    const [series, sinceMs, nowMs] = [[...this.#series], this.#sinceMs, clock.now()];
    this.#series = new Map();
    this.#sinceMs = nowMs;
    let sent = 0;
    while (sent < series.length) {
      const part = series.slice(sent, sent + seriesAtOnce).map(([, one]) => one);
      if (!(await send(metricsOf(part, sinceMs, nowMs)))) break;
      sent += part.length;
    }
    if (sent < series.length) {
      // What was reported meanwhile is the newer of the two.
      const newer = this.#series;
      this.#series = new Map(series.slice(sent));
      this.#sinceMs = sinceMs;
      for (const one of newer.values()) this.#add(one);
    }
    if (this.#timer) this.start();
  }
}

/** What fits into one request by far. */
const seriesAtOnce = 1_000;

/** By client: a resource is whoever tells. */
function metricsOf(all: readonly Series[], sinceMs: number, nowMs: number): ResourceMetrics[] {
  return [...Map.groupBy(all, ({ node }) => node)].map(([node, series]) => {
    const points = (value: (one: Series) => number, among = series) =>
      among.map((one) => ({
        startTimeUnixNano: nanos(sinceMs),
        timeUnixNano: nanos(nowMs),
        asDouble: value(one),
        attributes: [
          textAttribute("cluster", one.cluster),
          textAttribute("destination", one.destination),
          ...(one.locality ? [textAttribute("locality", one.locality)] : []),
        ],
      }));
    const counter = (name: string, description: string, value: (one: Series) => number) => ({
      name,
      description,
      unit: "{request}",
      sum: {
        isMonotonic: true,
        aggregationTemporality: delta,
        dataPoints: points(
          value,
          series.filter((one) => value(one) > 0),
        ),
      },
    });
    return {
      resource: {
        attributes: [
          textAttribute("service.name", series[0]?.from ?? node),
          textAttribute("service.instance.id", node),
        ],
      },
      scopeMetrics: [
        {
          metrics: [
            counter("limpid.load.requests", "Requests that a client began (LRS)", ({ requests }) => requests),
            counter("limpid.load.errors", "Requests of it that failed (LRS)", ({ errors }) => errors),
            counter("limpid.load.dropped", "Requests that it dropped for overload (LRS)", ({ dropped }) => dropped),
            {
              name: "limpid.load.in_progress",
              description: "Requests that a client waits for (LRS)",
              unit: "{request}",
              gauge: { dataPoints: points(({ inProgress }) => inProgress) },
            },
          ],
        },
      ],
    };
  });
}

/** AGGREGATION_TEMPORALITY_DELTA */
const delta = 1;
