import { z } from "zod";

const Answer = z.object({
  parts: z.array(
    z.object({
      node: z.string().nullable(),
      pid: z.number().nullable(),
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

/** What the proxies that this machine's supervisor runs have used. Rejects where there is no supervisor, after at most `timeoutMs`. */
export async function readNodeUsage(fleetPort: number, timeoutMs = 2000): Promise<NodeUsage[]> {
  const response = await fetch(`http://127.0.0.1:${fleetPort}/v1/status`, { signal: AbortSignal.timeout(timeoutMs) });
  const { parts } = Answer.parse(await response.json());
  return parts.flatMap(({ node, pid, usage }) => (node && pid && usage ? [{ node, pid, ...usage }] : []));
}
