type Values = readonly (number | null)[];

interface Stepped {
  fromMs: number;
  stepSec: number;
}

/** Values of an earlier time at the places of a later one, `distanceSec` on; null where there is none. Their steps may be of another length. */
export function atPlacesOf(
  earlier: Stepped & { values: Values },
  shown: Stepped & { count: number },
  distanceSec: number,
): (number | null)[] {
  return Array.from({ length: shown.count }, (_, i) => {
    const ms = shown.fromMs + i * shown.stepSec * 1000 - distanceSec * 1000;
    return earlier.values[Math.floor((ms - earlier.fromMs) / (earlier.stepSec * 1000))] ?? null;
  });
}

/** Of what is known; null where nothing is. */
export function meanOf(values: Values): number | null {
  const told = values.filter((value) => value !== null);
  return told.length === 0 ? null : told.reduce((sum, value) => sum + value, 0) / told.length;
}

/** How much more, as a share of before: 0.5 is half as much again; null where nothing can be said. */
export const changeOf = (now: number | null | undefined, before: number | null | undefined): number | null =>
  now == null || before == null || before === 0 ? null : now / before - 1;
