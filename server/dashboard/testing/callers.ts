import { type Caller, machineCaller } from "../../access/caller.ts";
import type { Callers } from "../callers.ts";

/** Everybody is this one, and nothing is written down. */
export const everybodyIs = (caller: Caller | undefined = machineCaller("admin")): Callers => ({
  identify: async () => caller,
  isStillIn: async () => true,
  note: async () => undefined,
});
