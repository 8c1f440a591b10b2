/** Counters and gauges of one process, in Prometheus' text format 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export class Metrics {
  readonly #help = new Map<string, { help: string; type: "counter" | "gauge" | "histogram" }>();
  readonly #values = new Map<string, Map<string, number>>();
  readonly #gauges = new Map<string, () => number>();
  readonly #histograms = new Map<string, Map<string, Histogram>>();

  counter(name: string, help: string): (by?: number, labels?: Record<string, string>) => void {
    this.#help.set(name, { help, type: "counter" });
    const series = new Map<string, number>([]);
    this.#values.set(name, series);
    return (by = 1, labels = {}) => {
      const key = labelText(labels);
      series.set(key, (series.get(key) ?? 0) + by);
    };
  }

  gauge(name: string, help: string, read: () => number): void {
    this.#help.set(name, { help, type: "gauge" });
    this.#gauges.set(name, read);
  }

  /** A counter that somebody else counts, such as the kernel. */
  readCounter(name: string, help: string, read: () => number): void {
    this.#help.set(name, { help, type: "counter" });
    this.#gauges.set(name, read);
  }

  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
  ): (value: number, labels?: Record<string, string>) => void {
    this.#help.set(name, { help, type: "histogram" });
    const series = new Map<string, Histogram>();
    this.#histograms.set(name, series);
    return (value, labels = {}) => {
      const key = JSON.stringify(labels);
      const known = series.get(key) ?? { labels, bounds, counts: bounds.map(() => 0), count: 0, sum: 0 };
      series.set(key, known);
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) known.counts[at] = (known.counts[at] ?? 0) + 1;
      known.count += 1;
      known.sum += value;
    };
  }

  /** Of one series; for tests and pages. */
  value(name: string, labels: Record<string, string> = {}): number {
    return this.#gauges.get(name)?.() ?? this.#values.get(name)?.get(labelText(labels)) ?? 0;
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, { help, type }] of this.#help) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      const read = this.#gauges.get(name);
      if (read) lines.push(`${name} ${read()}`);
      for (const [labels, value] of this.#values.get(name) ?? []) lines.push(`${name}${labels} ${value}`);
      for (const histogram of this.#histograms.get(name)?.values() ?? []) addHistogram(lines, name, histogram);
    }
    return `${lines.join("\n")}\n`;
  }
}

interface Histogram {
  labels: Record<string, string>;
  bounds: readonly number[];
  /** Of each bucket alone. */
  counts: number[];
  count: number;
  sum: number;
}

function addHistogram(lines: string[], name: string, { labels, bounds, counts, count, sum }: Histogram): void {
  let below = 0;
  for (const [i, bound] of bounds.entries()) {
    below += counts[i] ?? 0;
    lines.push(`${name}_bucket${labelText({ ...labels, le: String(bound) })} ${below}`);
  }
  lines.push(`${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}`);
  lines.push(`${name}_sum${labelText(labels)} ${sum}`, `${name}_count${labelText(labels)} ${count}`);
}

/** Values are ours (xDS type names and the like), but quoted all the same. */
const labelText = (labels: Record<string, string>): string => {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
};
