import { fractionsFrom } from "../../server/lib/testing/random.ts";

/** Random numbers that a seed determines, so that a finding can be had again. */
export interface Random {
  /** 0 ≤ n < max. */
  below(max: number): number;
  chance(share: number): boolean;
  pick<T>(from: readonly T[]): T;
  bytes(count: number): Buffer;
}

/** `labels` make independent streams of one seed. */
export function seeded(seed: number, ...labels: readonly (string | number)[]): Random {
  let state = seed >>> 0;
  for (const char of labels.join("\0")) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193) >>> 0;
  const next = fractionsFrom(state);
  const below = (max: number): number => Math.floor(next() * max);
  return {
    below,
    chance: (share) => next() < share,
    pick: (from) => {
      if (from.length === 0) throw new Error("nothing to pick from");
      return from[below(from.length)] as (typeof from)[number];
    },
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  };
}
