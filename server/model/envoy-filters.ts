import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { re2 } from "../lib/re2.ts";
import { type Attachment, attachmentOf, type GuardedWorkload, isAttached } from "./policy-attachment.ts";
import type { MeshProxy } from "./proxy.ts";
import { olderFirst } from "./service.ts";
import type { EnvoyFilterSpec } from "./specs.ts";

export type ConfigPatch = EnvoyFilterSpec["configPatches"][number];

/** What an EnvoyFilter does, to the workloads that it is for. */
export interface EnvoyFilter {
  readonly namespace: string;
  readonly name: string;
  readonly attachment: Attachment;
  readonly priority: number;
  readonly patches: readonly ConfigPatch[];
}

/** By namespace, in the order in which they are applied. */
export type EnvoyFilterIndex = ReadonlyMap<string, readonly EnvoyFilter[]>;

export const indexEnvoyFilters = (objects: Iterable<ConfigObject>): EnvoyFilterIndex =>
  Map.groupBy(
    [...objects]
      .sort(olderFirst)
      .map(resolve)
      .sort((a, b) => a.priority - b.priority),
    ({ namespace }) => namespace,
  );

const resolve = (object: ConfigObject): EnvoyFilter =>
  memo(object, "envoy-filter", [], () => {
    const { workloadSelector, targetRefs, priority = 0, configPatches } = object.spec as EnvoyFilterSpec;
    const { name, namespace } = object.metadata;
    const attachment = attachmentOf(namespace, { selector: { matchLabels: workloadSelector?.labels }, targetRefs });
    return { name, namespace, attachment, priority, patches: configPatches };
  });

/** Those of the root namespace come first, whatever their priority; the same array for all proxies that they are for. */
export function patchesFor(
  index: EnvoyFilterIndex,
  rootNamespace: string,
  proxy: MeshProxy,
  workload: GuardedWorkload,
): readonly ConfigPatch[] {
  if (index.size === 0) return none;
  const patches = [...new Set([rootNamespace, proxy.namespace])]
    .flatMap((namespace) => index.get(namespace) ?? [])
    .filter(({ attachment }) => isAttached(attachment, workload))
    .flatMap((filter) => filter.patches)
    .filter((patch) => isForProxy(patch, proxy));
  if (patches.length === 0) return none;
  const key = patches.map(numberOf).join(" ");
  return memo(index, `patches ${key}`, [], () => patches);
}

const none: readonly ConfigPatch[] = [];

function isForProxy({ match: { proxy: wanted } = {} }: ConfigPatch, { facts }: MeshProxy): boolean {
  if (wanted === undefined) return true;
  const { proxyVersion, metadata = {} } = wanted;
  if (Object.entries(metadata).some(([name, value]) => facts[name] !== value)) return false;
  if (proxyVersion === undefined) return true;
  const version = facts.ISTIO_VERSION;
  return (
    version !== undefined &&
    memo(wanted, "pattern", [], () => re2().compile(proxyVersion))
      .matcher(version)
      .find()
  );
}

const numbers = new WeakMap<ConfigPatch, number>();
let count = 0;

function numberOf(patch: ConfigPatch): number {
  const known = numbers.get(patch) ?? ++count;
  numbers.set(patch, known);
  return known;
}
