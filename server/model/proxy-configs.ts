import { parse } from "yaml";
import type { ConfigObject } from "../config/object.ts";
import { type Labels, matchesLabels } from "./labels.ts";
import type { Mesh } from "./mesh.ts";
import { olderFirst } from "./service.ts";
import type { MeshConfigSpec, ProxyConfigSpec } from "./specs.ts";

/** What a proxy is started with; what is not said is left to whoever starts it. */
export interface ProxyStart {
  /** Workers; 0: as many as there are cores. */
  readonly concurrency?: number;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly imageType?: string;
}

export interface StartedWorkload {
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations?: Readonly<Record<string, string>>;
}

const annotation = "proxy.istio.io/config";

/**
 * As Istio merges it, each going before those before it: MeshConfig's `defaultConfig`, the ProxyConfig without a selector of the root namespace, that of the
 * workload's namespace, the workload's annotation, and the ProxyConfig whose selector it has; of each the oldest.
 * https://istio.io/latest/docs/reference/config/networking/proxy-config/
 */
export function proxyStart(mesh: Mesh, workload: StartedWorkload): ProxyStart {
  const { rootNamespace } = mesh.options;
  const { namespace } = workload;
  const all = [...(mesh.objects.get("ProxyConfig")?.values() ?? [])].sort(olderFirst);
  const of = (where: string) => all.filter((object) => object.metadata.namespace === where);
  const forAll = (where: string) => of(where).find((object) => selectorOf(object) === undefined);
  const own = of(namespace).find((object) => {
    const labels = selectorOf(object) ?? {};
    return Object.keys(labels).length > 0 && matchesLabels(labels, workload.labels);
  });
  const mesh0 = mesh.objects.get("MeshConfig")?.get("/default")?.spec as MeshConfigSpec | undefined;
  return [
    fromDefaults(mesh0?.defaultConfig),
    fromObject(forAll(rootNamespace)),
    namespace === rootNamespace ? nothing : fromObject(forAll(namespace)),
    fromAnnotation(workload.annotations?.[annotation]),
    fromObject(own),
  ].reduce(merged);
}

const nothing: ProxyStart = { environmentVariables: {} };

/** Undefined: it is for all. One without labels in it is for nobody, as in Istio. */
const selectorOf = (object: ConfigObject): Labels | undefined => {
  const { selector } = object.spec as ProxyConfigSpec;
  return selector && (selector.matchLabels ?? {});
};

/** A map grows; what is said twice is the later one's. */
const merged = (before: ProxyStart, after: ProxyStart): ProxyStart => ({
  ...before,
  ...after,
  environmentVariables: { ...before.environmentVariables, ...after.environmentVariables },
});

const fromObject = (object: ConfigObject | undefined): ProxyStart => {
  if (object === undefined) return nothing;
  const { concurrency, environmentVariables = {}, image } = object.spec as ProxyConfigSpec;
  return started(concurrency, environmentVariables, image?.imageType);
};

const fromDefaults = ({ concurrency, proxyMetadata = {}, image }: NonNullable<MeshConfigSpec["defaultConfig"]> = {}) =>
  started(concurrency, proxyMetadata, image?.imageType);

/** A text of YAML that somebody wrote by hand: what can't be read says nothing. */
function fromAnnotation(text: string | undefined): ProxyStart {
  if (!text) return nothing;
  try {
    const { concurrency, proxyMetadata, image } = (parse(text) ?? {}) as Record<string, unknown>;
    const variables = Object.entries(isRecord(proxyMetadata) ? proxyMetadata : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    );
    const workers = typeof concurrency === "number" && concurrency >= 0 ? concurrency : undefined;
    const imageType = isRecord(image) && typeof image.imageType === "string" ? image.imageType : undefined;
    return started(workers, Object.fromEntries(variables), imageType);
  } catch {
    return nothing;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const started = (
  concurrency: number | undefined,
  environmentVariables: Readonly<Record<string, string>>,
  imageType: string | undefined,
): ProxyStart => ({
  environmentVariables,
  ...(concurrency !== undefined && { concurrency }),
  ...(imageType && { imageType }),
});

/** Of the metadata `PROXY_CONFIG` of a node: what it was started with. */
export function startedWith(metadata: Readonly<Record<string, unknown>>): ProxyStart {
  const { PROXY_CONFIG: config } = metadata;
  const { concurrency, proxyMetadata } = (isRecord(config) ? config : {}) as {
    concurrency?: unknown;
    proxyMetadata?: unknown;
  };
  const variables = isRecord(proxyMetadata) ? proxyMetadata : {};
  const texts = Object.entries(variables).map(([name, value]): [string, string] => [name, String(value)]);
  return started(typeof concurrency === "number" ? concurrency : undefined, Object.fromEntries(texts), undefined);
}

/** What of it differs, by the names that a ProxyConfig has for it; an image means nothing to a proxy here. */
export function differences(running: ProxyStart, wanted: ProxyStart): string[] {
  const [a, b] = [running.environmentVariables, wanted.environmentVariables];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).sort();
  return [
    ...(running.concurrency === wanted.concurrency ? [] : ["concurrency"]),
    ...names.map((name) => `environmentVariables.${name}`),
  ];
}

/** As Istio's bootstraps have it in a node's metadata. */
export const proxyConfigOf = ({ concurrency, environmentVariables }: ProxyStart): Record<string, unknown> => ({
  ...(concurrency !== undefined && { concurrency }),
  ...(Object.keys(environmentVariables).length > 0 && { proxyMetadata: environmentVariables }),
});
