import { z } from "zod";

/** The longest that anything is kept by default, seconds. */
export const longestWindowSec = 30 * 86_400;

/** How long a stretch of time is, seconds. */
export const windowSeconds = z.coerce
  .number("must be seconds, such as 900")
  .int("must be whole seconds")
  .min(1, "must be at least 1 s")
  .max(longestWindowSec, `must be at most ${longestWindowSec} s`);

/** The same, where it may be left out. */
export const windowField = (fallbackSec: number) => windowSeconds.default(fallbackSec);
