import type { RevocationPreview } from "../contract/index.ts";
import type { RollupSum } from "../query/reader.ts";

/** What an identity called: by mutual TLS, which a revocation ends, and in plain text, which it can't. `sums` as told where calls arrived. */
export function callsOfIdentity(
  spiffeUri: string,
  sums: readonly RollupSum[],
  identities: ReadonlyMap<string, string>,
): Pick<RevocationPreview, "calls" | "plain"> {
  const own = sums.filter(
    ({ edge: { source } }) => identities.get(`${source.namespace}/${source.workload}`) === spiffeUri,
  );
  const called = new Map<string, number>();
  let plain = 0;
  for (const { edge, count } of own) {
    const key = `${edge.destination.namespace}/${edge.destination.workload}`;
    if (edge.mtls) called.set(key, (called.get(key) ?? 0) + count);
    else plain += count;
  }
  const calls = [...called].map(([name, count]) => ({ called: name, calls: count }));
  return { calls: calls.sort((a, b) => b.calls - a.calls), plain };
}
