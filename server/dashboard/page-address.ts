import { DashboardError, findService, type MeshService } from "../contract/index.ts";
import type { Router } from "../lib/http-router.ts";
import { createRouter } from "../lib/http-router.ts";

/** `moved`: it has another address by now; `missing`: there is no such thing; undefined: a page like any other, or nobody can tell. */
export type PageAddress = { kind: "moved"; to: string } | { kind: "missing" } | undefined;

export interface PageSources {
  services(): Promise<readonly MeshService[]>;
  /** Rejects with NOT_FOUND. */
  object(key: { kind: string; namespace: string; name: string }): Promise<unknown>;
  /** Rejects with NOT_FOUND, and with INVALID for what is no id. */
  trace(id: string): Promise<unknown>;
}

type Finder = (params: Readonly<Record<string, string>>) => Promise<PageAddress>;

/** What is no name of such a thing is the name of none. */
const missingUnless = (found: Promise<unknown>): Promise<PageAddress> =>
  found.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof DashboardError && ["NOT_FOUND", "INVALID"].includes(error.code)) return { kind: "missing" };
      throw error;
    },
  );

/** Says of the addresses that name a thing whether there is one. A service's is its namespace and hostname; of before, its resource's name. */
export function createPageAddresses(sources: PageSources): (path: string) => Promise<PageAddress> {
  const router: Router<Finder> = createRouter();
  router.add("GET", "/services/:namespace/:name", async ({ namespace = "", name = "" }) => {
    const found = findService(await sources.services(), namespace, name);
    if (!found) return { kind: "missing" };
    if (found.hostname === name) return undefined;
    const to = ["", "services", namespace, found.hostname].map(encodeURIComponent).join("/");
    return { kind: "moved", to };
  });
  router.add("GET", "/config/:kind/:namespace/:name", async ({ kind = "", namespace = "", name = "" }) => {
    return missingUnless(sources.object({ kind, namespace: namespace === "-" ? "" : namespace, name }));
  });
  router.add("GET", "/traces/:id", async ({ id = "" }) => missingUnless(sources.trace(id)));
  return async (path) => {
    const match = router.match("GET", path);
    // Who can't be asked does not say that there is nothing.
    return match.target?.(match.params).catch(() => undefined);
  };
}
