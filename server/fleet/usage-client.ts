import { z } from "zod";
import { PartRestart } from "../contract/index.ts";
import { createHttpClient } from "../lib/http-client.ts";

const Answer = z.object({
  parts: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      ends: z.array(PartRestart.omit({ part: true, kind: true, node: true })).default([]),
      node: z.string().nullable(),
      pid: z.number().nullable(),
      metrics: z.string().nullable().default(null),
      usage: z.object({ cpuMs: z.number(), memoryBytes: z.number() }).nullable(),
    }),
  ),
});

export interface NodeUsage {
  /** xDS node id. */
  node: string;
  pid: number;
  cpuMs: number;
  memoryBytes: number;
}

/** The xDS node ids of the proxies that this machine's supervisor runs, whether they do run at the moment or not. Rejects where there is none. */
export function createSupervisedClient(fleetPort: number, timeoutMs = 2000): () => Promise<string[]> {
  const client = createHttpClient(`http://127.0.0.1:${fleetPort}`, timeoutMs);
  return async () => {
    const { text } = await client.call("GET", "/v1/status");
    return Answer.parse(JSON.parse(text)).parts.flatMap(({ node }) => node ?? []);
  };
}

/** Where the proxies that this machine's supervisor runs tell their metrics, by xDS node id. Rejects where there is no supervisor. */
export function createMetricsClient(fleetPort: number, timeoutMs = 2000): () => Promise<ReadonlyMap<string, string>> {
  const client = createHttpClient(`http://127.0.0.1:${fleetPort}`, timeoutMs);
  return async () => {
    const { text } = await client.call("GET", "/v1/status");
    const { parts } = Answer.parse(JSON.parse(text));
    return new Map(parts.flatMap(({ node, metrics }) => (node && metrics ? [[node, metrics] as const] : [])));
  };
}

/** Reads what the proxies that this machine's supervisor runs have used. Rejects where there is no supervisor, after at most `timeoutMs`. */
export function createUsageClient(fleetPort: number, timeoutMs = 2000): () => Promise<NodeUsage[]> {
  const client = createHttpClient(`http://127.0.0.1:${fleetPort}`, timeoutMs);
  return async () => {
    const { text } = await client.call("GET", "/v1/status");
    const { parts } = Answer.parse(JSON.parse(text));
    return parts.flatMap(({ node, pid, usage }) => (node && pid && usage ? [{ node, pid, ...usage }] : []));
  };
}

/** When the parts that this machine's supervisor runs were started again, the newest first. Rejects where there is no supervisor. */
export function createRestartsClient(fleetPort: number, timeoutMs = 2000): () => Promise<PartRestart[]> {
  const client = createHttpClient(`http://127.0.0.1:${fleetPort}`, timeoutMs);
  return async () => {
    const { text } = await client.call("GET", "/v1/status");
    const { parts } = Answer.parse(JSON.parse(text));
    return parts
      .flatMap(({ name, kind, node, ends }) => ends.map((end) => ({ part: name, kind, node, ...end })))
      .sort((a, b) => b.at - a.at);
  };
}
