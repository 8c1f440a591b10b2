export interface LatencyScale {
  /** Milliseconds, ascending; the first and the last are the scale's ends. */
  ticks: number[];
  /** 0 at the bottom, 1 at the top. */
  place: (ms: number) => number;
}

const steps = [1, 2, 5];
const floor = 0.1;

/**
 * A logarithmic scale between round numbers: a version at 8 ms and a spike of 300 ms are both read off it, where a linear one shows a flat
 * line and a needle. Null without a value.
 */
export function latencyScale(values: readonly (number | null)[]): LatencyScale | null {
  const known = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (known.length === 0) return null;
  const low = roundDown(Math.max(floor, Math.min(...known)));
  const high = Math.max(roundUp(Math.max(floor, ...known)), low * 5);
  const all: number[] = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.log10(high); exponent++)
    for (const step of steps) all.push(rounded(step * 10 ** exponent));
  const inside = all.filter((tick) => tick >= low && tick <= high);
  const every = Math.ceil((inside.length - 1) / 3);
  const span = Math.log(high / low);
  return {
    ticks: inside.filter(
      (tick, index) => tick === inside.at(-1) || (index % every === 0 && inside.length - 1 - index >= every),
    ),
    place: (ms) => Math.min(1, Math.max(0, Math.log(Math.max(ms, floor) / low) / span)),
  };
}

const rounded = (value: number): number => Number(value.toPrecision(3));

function roundDown(value: number): number {
  const size = 10 ** Math.floor(Math.log10(value));
  return rounded((steps.findLast((step) => step * size <= value * 1.0001) ?? 1) * size);
}

function roundUp(value: number): number {
  const size = 10 ** Math.floor(Math.log10(value));
  return rounded((steps.find((step) => step * size >= value * 0.9999) ?? 10) * size);
}
