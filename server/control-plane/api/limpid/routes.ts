import type { ApiContext } from "../context.ts";
import type { Router } from "../router.ts";
import { StatusError } from "../status-error.ts";

/** Limpid's own endpoints, with the contracts of server/contract. */
export function addLimpidRoutes(router: Router, context: ApiContext): void {
  addHealth(router, context);
}

function addHealth(router: Router, context: ApiContext): void {
  for (const path of ["/healthz", "/livez"]) {
    router.add("GET", path, async () => ({ status: 200, body: { status: "ok" } }));
  }
  router.add("GET", "/readyz", async () => {
    if (!context.ready()) throw new StatusError(503, "ServiceUnavailable", "the control plane is not ready yet");
    await context.store.revision();
    return { status: 200, body: { status: "ok" } };
  });
}
