import type { LoadList, PushHistory, RateLimitUses } from "../../../contract/index.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRouter } from "../router.ts";

/** What is told of each proxy: who has more clusters than that has them on its own admin page. */
const maxLoads = 500;

/** What proxies report, and what was pushed to them. */
export function addUse(router: ApiRouter, { pushes, use }: ApiContext): void {
  router.add("GET", "/limpid/v1/pushes", async () => {
    const body: PushHistory = { pushes: pushes.history?.() ?? [] };
    return { status: 200, body };
  });
  router.add("GET", "/limpid/v1/loads", async () => ({ status: 200, body: loadsOf(use) }));
  router.add("GET", "/limpid/v1/rate-limits", async () => ({ status: 200, body: limitsOf(use) }));
}

function loadsOf(use: ApiContext["use"]): LoadList {
  const proxies = [...(use?.loads() ?? [])].map(([id, loads]) => ({
    id,
    loads: [...loads]
      .sort((a, b) => b.requestsPerSec - a.requestsPerSec)
      .slice(0, maxLoads)
      .map(({ cluster, locality, requestsPerSec, errorsPerSec, droppedPerSec, inProgress, at }) => ({
        cluster,
        locality,
        requestsPerSec,
        errorsPerSec,
        droppedPerSec,
        inProgress,
        at,
      })),
  }));
  return { proxies };
}

function limitsOf(use: ApiContext["use"]): RateLimitUses {
  const limits = (use?.rateLimits() ?? []).map(({ domain, descriptor, limit, count, endMs }) => {
    const { name, unit, requestsPerUnit, shadow } = limit;
    return { domain, descriptor, name, unit, requestsPerUnit, shadow, count, endMs };
  });
  return { limits };
}
