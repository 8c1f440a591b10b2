import { lazyRequire } from "./lazy-require.ts";

const load = lazyRequire<typeof import("re2js")>("re2js");

/** RE2's regular expressions (linear time), loaded by the first pattern: few routes have one. */
export const re2 = (): typeof import("re2js")["RE2JS"] => load().RE2JS;
