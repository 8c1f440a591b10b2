import { AsyncLocalStorage } from "node:async_hooks";
import type { Caller } from "../../access/caller.ts";
import type { ConfigChange } from "../../config/store.ts";

/** One call of the config API: who makes it, and what it wrote. */
export interface CallScope {
  /** Undefined: somebody on this machine who said nothing of themselves, and may do everything. */
  caller: Caller | undefined;
  /** The commits that it made, dry runs aside. */
  commits: { revision: number; author: string; changes: readonly ConfigChange[] }[];
}

const scopes = new AsyncLocalStorage<CallScope>();

/** Runs a call, so that the store knows whom it writes for. */
export const inScope = <T>(scope: CallScope, work: () => Promise<T>): Promise<T> => scopes.run(scope, work);

/** Undefined for what the control plane does by itself, such as a fuse that stops a fault. */
export const currentScope = (): CallScope | undefined => scopes.getStore();
