import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingHttpHeaders } from "node:http";
import { traceHeaders } from "../wire/trace-headers.ts";

/** By which somebody is known to whom a request was meant for, and to nobody else. */
export const credentialHeaders = ["authorization", "proxy-authorization", "cookie"] as const;

/** The request that is being answered, over all that is awaited for it. https://www.w3.org/TR/trace-context/ */
export class RequestContext {
  readonly #storage = new AsyncLocalStorage<ReadonlyMap<string, string>>();
  readonly #names: readonly string[];

  constructor(propagate: readonly string[]) {
    this.#names = [...new Set([...traceHeaders, ...propagate])];
  }

  within<T>(headers: IncomingHttpHeaders, work: () => T): T {
    const kept = new Map<string, string>();
    for (const name of this.#names) {
      const value = headers[name];
      if (typeof value === "string") kept.set(name, value);
    }
    return this.#storage.run(kept, work);
  }

  /** Requests of `work` go to somebody whom the application did not choose: nothing goes along by which its own caller is known. */
  withoutCredentials<T>(work: () => T): T {
    const kept = new Map(this.headers);
    for (const name of credentialHeaders) kept.delete(name);
    return this.#storage.run(kept, work);
  }

  /** Fields for a request that is made now. */
  get headers(): ReadonlyMap<string, string> {
    return this.#storage.getStore() ?? none;
  }
}

const none: ReadonlyMap<string, string> = new Map();
