import { statName } from "../wire/envoy-stat-names.ts";
import { type Histogram, histogramBounds, type Stats } from "./stats.ts";

/** One line's worth of a metric, before lines of equal names are gathered under one TYPE. */
interface Named {
  name: string;
  labels: string;
}

interface PrometheusOptions {
  /** Leaves out counters that are zero and histograms without a sample. */
  usedOnly?: boolean;
  /** Takes Envoy's dotted name. */
  filter?: (name: string) => boolean;
}

/** Stats in Prometheus' text format under the names and labels that Envoy gives them, cluster names kept whole. */
export function renderPrometheus(
  stats: Stats,
  { usedOnly = false, filter = () => true }: PrometheusOptions = {},
): string {
  const families = new Families();
  for (const [name, { value }] of stats.counters) {
    if (filter(name) && !(usedOnly && value === 0)) families.add("counter", prometheusName(name), value);
  }
  for (const [name, { value }] of stats.gauges) {
    if (filter(name)) families.add("gauge", prometheusName(name), value);
  }
  for (const [name, histogram] of stats.histograms) {
    if (filter(name) && !(usedOnly && histogram.count === 0)) families.addHistogram(prometheusName(name), histogram);
  }
  return families.toString();
}

/** Gathers samples by family, as the text format wants them. */
export class Families {
  readonly #families = new Map<string, string[]>();

  add(type: "counter" | "gauge", { name, labels }: Named, value: number): void {
    this.#of(name, type).push(`${name}{${labels}} ${value}\n`);
  }

  addHistogram({ name, labels }: Named, { counts, sum, count }: Pick<Histogram, "counts" | "sum" | "count">): void {
    const lines = this.#of(name, "histogram");
    const prefix = labels === "" ? "" : `${labels},`;
    let cumulative = 0;
    histogramBounds.forEach((bound, index) => {
      cumulative += counts[index] ?? 0;
      lines.push(`${name}_bucket{${prefix}le="${bound}"} ${cumulative}\n`);
    });
    lines.push(`${name}_bucket{${prefix}le="+Inf"} ${count}\n`);
    lines.push(`${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} ${count}\n`);
  }

  toString(): string {
    let text = "";
    for (const lines of this.#families.values()) text += lines.join("");
    return text;
  }

  #of(name: string, type: string): string[] {
    let lines = this.#families.get(name);
    if (lines === undefined) {
      lines = [`# TYPE ${name} ${type}\n`];
      this.#families.set(name, lines);
    }
    return lines;
  }
}

/** Name and labels as a sample's line has them. */
function prometheusName(stat: string): Named {
  const { name, labels } = statName(stat);
  return { name, labels: formatLabels(labels) };
}

export const formatLabels = (labels: readonly (readonly [string, string])[]): string =>
  labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(",");

const escapeLabel = (value: string) =>
  /["\\\n]/.test(value) ? value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n") : value;
