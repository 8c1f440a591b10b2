/** Counters and gauges of one process, in Prometheus' text format 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export class Metrics {
  readonly #help = new Map<string, { help: string; type: "counter" | "gauge" }>();
  readonly #values = new Map<string, Map<string, number>>();
  readonly #gauges = new Map<string, () => number>();

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
    }
    return `${lines.join("\n")}\n`;
  }
}

/** Values are ours (xDS type names and the like), but quoted all the same. */
const labelText = (labels: Record<string, string>): string => {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
};
