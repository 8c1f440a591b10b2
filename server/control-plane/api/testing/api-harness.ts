import { kinds } from "../../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../../config/memory-store.ts";
import type { ConfigStore } from "../../../config/store.ts";
import { type Clock, systemClock } from "../../../lib/clock.ts";
import { silentLogger } from "../../../lib/logger.ts";
import { type ConfigApiOptions, createConfigApi } from "../config-api.ts";

export interface ApiHarness {
  url: string;
  port: number;
  store: ConfigStore;
  routes: ReturnType<typeof createConfigApi>["routes"];
  /** A call with JSON in and out; `path` may have a query. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of every shape
  body: any;
  headers: Headers;
}

/** A config API on a real socket over an empty memory store. */
export async function startApi(options: Partial<ConfigApiOptions> & { maxHistory?: number } = {}): Promise<ApiHarness> {
  const clock: Clock = options.clock ?? systemClock;
  const { maxHistory, ...rest } = options;
  const store = options.store ?? new MemoryConfigStore({ clock, ...(maxHistory ? { maxHistory } : {}) });
  const api = createConfigApi({
    store,
    kinds,
    clock,
    logger: silentLogger,
    services: async () => [],
    pushes: { get: () => undefined, latency: () => ({ sinceMs: 0, count: 0, p99Ms: null }), affected: () => 0 },
    ...rest,
  });
  const { port } = await api.listen("127.0.0.1", 0);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    store,
    routes: api.routes,
    async call(method, path, body, headers = {}) {
      const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const response = await fetch(url + path, {
        method,
        headers: { ...(text === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(text === undefined ? {} : { body: text }),
      });
      return { status: response.status, body: await response.json(), headers: response.headers };
    },
    async close() {
      await api.close();
      await store.close();
    },
  };
}

/** A VirtualService that splits reviews by subset: `{v1: 80, v2: 20}`. */
export const reviews = (weights: Record<string, number>, name = "reviews", namespace = "default") => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name, namespace },
  spec: {
    hosts: [name],
    http: [
      {
        route: Object.entries(weights).map(([subset, weight]) => ({ destination: { host: name, subset }, weight })),
      },
    ],
  },
});

export const virtualServices = "/apis/networking.istio.io/v1/namespaces/default/virtualservices";
