import type { FilterIo } from "../../request/filter.ts";
import type { Question, Verdict } from "./verdict.ts";

/** Asks a service. `done` is called once, unless it is cancelled by what this returns. */
export type Ask = (question: Question, io: FilterIo, done: (verdict: Verdict) => void) => () => void;
