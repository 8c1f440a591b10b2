/**
 * A service's own work as a log-normal wait: most requests near the median, a few much slower, as real services are.
 * `spread` is the standard deviation of the logarithm: 0.35 puts p95 at 1.8 × the median and p99 at 2.3 ×.
 */
export function workMs(medianMs: number, spread = 0.35, random: () => number = Math.random): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(medianMs * Math.exp(spread * normal), medianMs * 20);
}

export const work = (medianMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, workMs(medianMs)));
