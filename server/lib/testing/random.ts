/** Whole numbers below the one that is given, the same for the same seed. */
export function randomFrom(seed: number): (below: number) => number {
  const next = bitsFrom(seed);
  return (below) => next() % below;
}

/** Numbers in [0, 1), the same for the same seed. */
export function fractionsFrom(seed: number): () => number {
  const next = bitsFrom(seed);
  return () => next() / 2 ** 32;
}

/** 32 bits at a time: mulberry32. */
function bitsFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
