import type { ProxyUsage } from "../contract/index.ts";

/** One process at one moment, by its xDS node id. */
export interface UsageSample {
  node: string;
  pid: number;
  /** Since its start, milliseconds. */
  cpuMs: number;
  memoryBytes: number;
}

export interface ProxyUsageSource {
  read(): Promise<UsageSample[]>;
  now(): number;
}

/** Shorter spans than this say little: the kernel counts time in steps of 10 ms. */
const shortestMs = 1000;
/** An older sample is of another time than the reader means. */
const longestMs = 60_000;

interface Seen extends UsageSample {
  at: number;
  cpu: number | null;
}

/** What each proxy's process uses: cores over the time since it was last asked. Never rejects; a proxy nobody watches is left out. */
export function createProxyUsage({ read, now }: ProxyUsageSource): () => Promise<ReadonlyMap<string, ProxyUsage>> {
  let seen = new Map<string, Seen>();
  return async () => {
    const samples = await read().catch(() => null);
    const at = now();
    // A supervisor that is busy for a moment has not gone: columns would come and go.
    const known = [...seen.values()].filter((sample) => at - sample.at < longestMs);
    seen = new Map(
      samples?.map((sample) => [sample.node, follow(seen.get(sample.node), sample, at)]) ??
        known.map((sample) => [sample.node, sample]),
    );
    return new Map([...seen].map(([node, { cpu, memoryBytes }]) => [node, { cpu, memoryBytes }]));
  };
}

function follow(before: Seen | undefined, sample: UsageSample, at: number): Seen {
  if (!before || before.pid !== sample.pid || at - before.at > longestMs) return { ...sample, at, cpu: null };
  // Asked again too soon: the span goes on from where it began.
  if (at - before.at < shortestMs) return { ...before, memoryBytes: sample.memoryBytes };
  return { ...sample, at, cpu: Math.max(0, sample.cpuMs - before.cpuMs) / (at - before.at) };
}
