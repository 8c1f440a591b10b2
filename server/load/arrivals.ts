/**
 * When requests are due, in milliseconds from the beginning: a Poisson process, or evenly. Whoever sends them must not wait for answers: a slow target would be asked less often, and its
 * slowness be left out of the figures ("coordinated omission"). `random` gives 0 ≤ x < 1.
 */
export function* arrivals(
  kind: "poisson" | "constant",
  rate: number,
  untilMs: number,
  random: () => number = Math.random,
): Generator<number> {
  const meanMs = 1000 / rate;
  let due = kind === "constant" ? 0 : -Math.log(1 - random()) * meanMs;
  for (let count = 1; due < untilMs; count += 1) {
    yield due;
    // Multiplied and not added up, so that a constant rate is kept to the last request.
    due = kind === "constant" ? count * meanMs : due - Math.log(1 - random()) * meanMs;
  }
}
