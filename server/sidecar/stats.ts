/** Counters, gauges and histograms under Envoy's names, such as `cluster.outbound|9080||x.upstream_rq_total`. One map look-up at creation, none on the hot path. */
export class Counter {
  value = 0;
  inc(by = 1): void {
    this.value += by;
  }
}

export class Gauge {
  value = 0;
  set(value: number): void {
    this.value = value;
  }
  add(by: number): void {
    this.value += by;
  }
}

/** Envoy's default histogram buckets, in milliseconds. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/metrics/v3/stats.proto */
export const histogramBounds = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
] as const;

export class Histogram {
  /** One count per bound, not cumulative, and one for what lies past the last. */
  readonly counts = new Float64Array(histogramBounds.length + 1);
  count = 0;
  sum = 0;
  record(value: number): void {
    let bucket = 0;
    while (bucket < histogramBounds.length && value > (histogramBounds[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.count++;
    this.sum += value;
  }
}

export class Stats {
  readonly counters = new Map<string, Counter>();
  readonly gauges = new Map<string, Gauge>();
  readonly histograms = new Map<string, Histogram>();

  counter(name: string): Counter {
    return getOrCreate(this.counters, name, Counter);
  }
  gauge(name: string): Gauge {
    return getOrCreate(this.gauges, name, Gauge);
  }
  histogram(name: string): Histogram {
    return getOrCreate(this.histograms, name, Histogram);
  }
  /** Forgets every stat under a prefix, when its cluster or listener is gone. */
  remove(prefix: string): void {
    for (const map of [this.counters, this.gauges, this.histograms]) {
      for (const name of map.keys()) if (name.startsWith(prefix)) map.delete(name);
    }
  }
}

/** Responses by their status and its class, each counter made with the first of its kind: `<prefix>upstream_rq_200`, `<prefix>upstream_rq_2xx`. */
export class StatusCounters {
  private readonly stats: Stats;
  private readonly prefix: string;
  private readonly byName: Counter[] = [];

  constructor(stats: Stats, prefix: string) {
    this.stats = stats;
    this.prefix = `${prefix}upstream_rq_`;
  }

  inc(status: number): void {
    this.counter(status, status).inc();
    const first = Math.floor(status / 100);
    this.counter(first, `${first}xx`).inc();
  }

  private counter(at: number, name: number | string): Counter {
    const known = this.byName[at];
    if (known !== undefined) return known;
    const counter = this.stats.counter(`${this.prefix}${name}`);
    this.byName[at] = counter;
    return counter;
  }
}

function getOrCreate<T>(map: Map<string, T>, name: string, Type: new () => T): T {
  let stat = map.get(name);
  if (stat === undefined) {
    stat = new Type();
    map.set(name, stat);
  }
  return stat;
}
