/** Durations as Istio's fields have them, for pages, too. */
export { parseGoDuration } from "../lib/go-duration.ts";
