import { setTimeout as wait } from "node:timers/promises";

/** What is asked again and again while a page is open, and what a first click needs. */
const paths = ["/topology", "/api/graph?window=60", "/api/status", "/api/changes"];
/** The rest of the mesh starts meanwhile, and needs the processor more. */
const headStartMs = 4_000;
const patienceMs = 60_000;
const retryMs = 500;
/** V8 compiles some things only when they are used again. */
const repetitions = 5;

interface Destination {
  subset: string | null;
  weight: number;
}
interface Routing {
  virtualService: { resourceVersion: string } | null;
  rules: { index: number; destinations: Destination[] }[];
}

/**
 * Asks the dashboard once for what people ask first, so that nobody's first click pays for loading and compiling: without it the first
 * page takes two seconds longer than the second, and the first change of a weight 0.2 s. Waits for the control plane; writes nothing but dry
 * runs of what is there already. Never fails: what it can't reach stays cold.
 */
export async function warmUp(dashboard: string, signal: AbortSignal): Promise<void> {
  const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const answer = await fetch(dashboard + path, { ...init, signal });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : text;
  };
  try {
    await wait(headStartMs, undefined, { signal });
    for (const until = Date.now() + patienceMs; ; ) {
      const isUp = await ask("/api/services").then(
        () => true,
        () => false,
      );
      if (isUp || Date.now() > until) break;
      await wait(retryMs, undefined, { signal });
    }
    for (const path of paths) await ask(path);
    const { services } = (await ask("/api/services")) as { services: { namespace: string; name: string }[] };
    for (const { namespace, name } of services) {
      const path = `/api/services/${namespace}/${name}/routing`;
      const routing = (await ask(path)) as Routing;
      const rule = routing.rules.find(({ destinations }) => destinations.length > 1 && sumsTo100(destinations));
      if (!rule) continue;
      const body = JSON.stringify({
        rule: rule.index,
        weights: Object.fromEntries(rule.destinations.map(({ subset, weight }) => [subset ?? "", weight])),
        resourceVersion: routing.virtualService?.resourceVersion ?? null,
      });
      for (let i = 0; i < repetitions; i++) {
        await ask(path);
        await ask(`${path}/weights?dryRun=true&envoy=${i % 2 === 0}`, {
          method: "PUT",
          headers: { "content-type": "application/json" },
          body,
        });
      }
      return;
    }
  } catch {
    // Nothing depends on it.
  }
}

const sumsTo100 = (destinations: readonly Destination[]): boolean =>
  destinations.every(({ subset }) => subset !== null) &&
  destinations.reduce((sum, { weight }) => sum + weight, 0) === 100;
