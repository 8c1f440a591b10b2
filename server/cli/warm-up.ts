import { setTimeout as wait } from "node:timers/promises";
import { createHttpClient, type HttpClient } from "../lib/http-client.ts";

/** What is asked again and again while a page is open, and what a first click needs. */
const paths = ["/overview", "/topology", "/api/overview", "/api/graph?window=60", "/api/status", "/api/changes"];
const patienceMs = 60_000;
const retryMs = 500;
const answerMs = 30_000;
/** V8 compiles some things only when they are used again. */
const repetitions = 5;

export interface WarmUpOptions {
  /** Base URLs: the dashboard's own, and the supervisor's, which may not be there. */
  dashboard: string;
  fleet: string;
  /** By which the dashboard knows who asks. */
  token?: string;
  signal: AbortSignal;
}

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
 * page takes two seconds longer than the second, and the first change of a weight 0.2 s. Waits until the mesh is up, whose parts need the
 * processor more; writes nothing but dry runs of what is there already. Never fails: what it can't reach stays cold.
 */
export async function warmUp({ dashboard, fleet, token, signal }: WarmUpOptions): Promise<void> {
  const client = withToken(createHttpClient(dashboard, answerMs), token);
  try {
    await meshUp(client, createHttpClient(fleet, answerMs), signal);
    for (const path of paths) await client.call("GET", path);
    const { services } = await ask<{ services: { namespace: string; name: string }[] }>(client, "/api/services");
    for (const { namespace, name } of services) {
      signal.throwIfAborted();
      if (await warmWeights(client, `/api/services/${namespace}/${name}/routing`)) return;
    }
  } catch {
    // Nothing depends on it.
  }
}

const withToken = (client: HttpClient, token: string | undefined): HttpClient => {
  if (token === undefined) return client;
  const authorization = `Bearer ${token}`;
  return {
    call: (method, path, call = {}) =>
      client.call(method, path, { ...call, headers: { ...call.headers, authorization } }),
  };
};

/** As the supervisor says, or, where there is none, when the control plane answers. Waits for a minute at the most. */
async function meshUp(dashboard: HttpClient, fleet: HttpClient, signal: AbortSignal): Promise<void> {
  const isUp = async () => {
    const { started } = await ask<{ started: boolean }>(fleet, "/v1/status").catch(() => ({ started: true }));
    if (!started) return false;
    return (await dashboard.call("GET", "/api/services")).status === 200;
  };
  for (const until = performance.now() + patienceMs; performance.now() < until; ) {
    if (await isUp().catch(() => false)) return;
    await wait(retryMs, undefined, { signal });
  }
}

/** Dry runs of the weights as they are. False: there is nothing to shift. */
async function warmWeights(client: HttpClient, path: string): Promise<boolean> {
  for (let i = 0; i < repetitions; i++) {
    const { virtualService, rules } = await ask<Routing>(client, path);
    const rule = rules.find(({ destinations }) => destinations.length > 1 && sumsTo100(destinations));
    if (!rule) return false;
    const body = JSON.stringify({
      rule: rule.index,
      weights: Object.fromEntries(rule.destinations.map(({ subset, weight }) => [subset ?? "", weight])),
      resourceVersion: virtualService?.resourceVersion ?? null,
    });
    const headers = { "content-type": "application/json" };
    await client.call("PUT", `${path}/weights?dryRun=true&envoy=${i % 2 === 0}`, { headers, body });
  }
  return true;
}

async function ask<T>(client: HttpClient, path: string): Promise<T> {
  const { status, text } = await client.call("GET", path);
  if (status !== 200) throw new Error(`${path}: ${status}`);
  return JSON.parse(text) as T;
}

const sumsTo100 = (destinations: readonly Destination[]): boolean =>
  destinations.every(({ subset }) => subset !== null) &&
  destinations.reduce((sum, { weight }) => sum + weight, 0) === 100;
