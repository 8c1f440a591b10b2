import { type Histogram, histogramBounds, type Stats } from "../stats.ts";

export interface StatsQuery {
  usedOnly: boolean;
  filter: (name: string) => boolean;
  type: "All" | "Counters" | "Gauges" | "Histograms";
}

const quantiles = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100];

/** `name: value` lines sorted by name, histograms last, as Envoy prints them. */
export function statsText(stats: Stats, query: StatsQuery): string {
  const { simple, histograms } = select(stats, query);
  const lines = simple.map(({ name, value }) => `${name}: ${value}\n`);
  for (const { name, histogram } of histograms) {
    const values = quantiles.map((q) => {
      const value = histogram.count === 0 ? "nan" : quantile(histogram, q);
      return `P${q}(${value},${value})`;
    });
    lines.push(`${name}: ${histogram.count === 0 ? "No recorded values" : values.join(" ")}\n`);
  }
  return lines.join("");
}

export function statsJson(stats: Stats, query: StatsQuery): string {
  const { simple, histograms } = select(stats, query);
  const computed = histograms.map(({ name, histogram }) => ({
    name,
    values: quantiles.map((q) => {
      const value = histogram.count === 0 ? null : quantile(histogram, q);
      return { interval: value, cumulative: value };
    }),
  }));
  const block = { histograms: { supported_quantiles: quantiles, computed_quantiles: computed } };
  return JSON.stringify({ stats: [...simple, ...(histograms.length > 0 ? [block] : [])] });
}

function select(stats: Stats, { usedOnly, filter, type }: StatsQuery) {
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const wanted = (kind: StatsQuery["type"]) => type === "All" || type === kind;
  const simple: { name: string; value: number }[] = [];
  for (const [name, { value }] of wanted("Counters") ? stats.counters : []) {
    if (filter(name) && !(usedOnly && value === 0)) simple.push({ name, value });
  }
  for (const [name, { value }] of wanted("Gauges") ? stats.gauges : []) {
    if (filter(name)) simple.push({ name, value });
  }
  const histograms = [...(wanted("Histograms") ? stats.histograms : [])]
    .filter(([name, { count }]) => filter(name) && !(usedOnly && count === 0))
    .map(([name, histogram]) => ({ name, histogram }));
  return { simple: simple.sort(byName), histograms: histograms.sort(byName) };
}

/** Interpolated within its bucket, so good to the bucket's width. */
function quantile({ counts, count }: Histogram, percent: number): number {
  const rank = (percent / 100) * count;
  let seen = 0;
  for (let index = 0; index < counts.length; index++) {
    const inBucket = counts[index] ?? 0;
    if (inBucket > 0 && seen + inBucket >= rank) {
      const low = index === 0 ? 0 : (histogramBounds[index - 1] ?? 0);
      const high = histogramBounds[index] ?? low;
      return Number((low + (high - low) * ((rank - seen) / inBucket)).toPrecision(6));
    }
    seen += inBucket;
  }
  return 0;
}
