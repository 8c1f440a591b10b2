import type { Sealer } from "../ca/sealer.ts";
import type { RateLimitConfigSpec } from "../config/kinds/index.ts";
import type { ConfigObject } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import { memo } from "../lib/memo.ts";
import { formatFieldErrors } from "../lib/result.ts";
import type { EndpointHealth } from "../model/health-checks.ts";
import { buildMesh, type Mesh, type MeshOptions, updateMesh } from "../model/mesh.ts";
import { type MeshService, meshServices } from "../model/mesh-services.ts";
import { type ProxyNode, parseProxy } from "../model/parse-proxy.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { serviceLimits } from "../model/rate-limits.ts";
import { olderFirst } from "../model/service.ts";
import { trustDomainsOf } from "../model/trust-domains.ts";
import { defaultTranslateOptions, type TranslateOptions } from "../translate/options.ts";
import type { ProxyResources, TimedResources } from "../translate/resources.ts";
import { translate } from "../translate/translate.ts";
import type { SecretMessages } from "../xds/snapshot.ts";
import { credentialSecrets, openable } from "./secrets/credential-secrets.ts";
import { systemCa } from "./system-ca.ts";

/** From config objects to what each proxy is to hold; the control plane needs no more of mesh and translation. */
export interface MeshPipeline {
  readonly revision: number;
  /** Starts over from everything there is. */
  reset(objects: readonly ConfigObject[], revision: number): void;
  apply(changes: readonly ConfigChange[], revision: number): void;
  /** What the registry found by itself: no revision is made of it. */
  observe(health: EndpointHealth): void;
  /** Throws an error with the reason when the node cannot be served. */
  parseProxy(node: ProxyNode): MeshProxy;
  translate(proxy: MeshProxy): TimedResources;
  /** What people's Secrets of these names hold for the proxy; of those that it may not have, or that are not there, nothing. */
  credentials(proxy: MeshProxy, names: readonly string[]): SecretMessages;
  /** The mesh, with changes that are not applied yet. */
  mesh(pending: readonly ConfigChange[]): Mesh;
  /** What proxies would hold after these changes, beside what they would without; the mesh stays as it is. */
  preview(
    changes: readonly ConfigChange[],
    pending?: readonly ConfigChange[],
  ): (proxy: MeshProxy) => { before: ProxyResources; after: ProxyResources };
  services(): MeshService[];
  /** The mesh's own first, then its aliases. */
  trustDomains(): readonly string[];
  /** Oldest first; the same array until one changes. */
  rateLimits(): readonly RateLimitConfigSpec[];
}

const noObjects: ReadonlyMap<string, ConfigObject> = new Map();

export function createMeshPipeline(
  options: {
    mesh?: Partial<MeshOptions>;
    translate?: Partial<TranslateOptions>;
    /** Opens people's Secrets; unset: sealed ones are not there. */
    sealer?: Sealer | undefined;
    /** Hears of Secrets that can't be opened. */
    onLost?(object: ConfigObject, entries: readonly string[]): void;
  } = {},
): MeshPipeline {
  const { sealer, onLost } = options;
  const opened = (object: ConfigObject) => openable(object, sealer, (entries) => onLost?.(object, entries));
  const openedChanges = (changes: readonly ConfigChange[]) =>
    changes.some(({ key }) => key.kind === "Secret")
      ? changes.map((change) => (change.after ? { ...change, after: opened(change.after) } : change))
      : changes;
  const translateOptions = { ...defaultTranslateOptions, ...systemCa(), ...options.translate };
  let mesh: Mesh = buildMesh([], 0, options.mesh);
  /** Asked for by every page and every edit, and the same until the mesh changes. */
  let described: { of: Mesh; services: MeshService[] } | undefined;
  return {
    get revision() {
      return mesh.revision;
    },
    reset(objects, revision) {
      mesh = { ...buildMesh(objects.map(opened), revision, options.mesh), health: mesh.health };
    },
    apply(changes, revision) {
      mesh = updateMesh(mesh, openedChanges(changes), revision);
    },
    observe(health) {
      if (health !== mesh.health) mesh = { ...mesh, health };
    },
    parseProxy(node) {
      const parsed = parseProxy(node);
      if (!parsed.ok) throw new Error(formatFieldErrors(parsed.errors));
      return parsed.value;
    },
    translate: (proxy) => translate(mesh, proxy, translateOptions),
    credentials: (proxy, names) => credentialSecrets(mesh, proxy, names, sealer),
    mesh: (pending) => (pending.length > 0 ? updateMesh(mesh, openedChanges(pending), mesh.revision) : mesh),
    preview(changes, pending = []) {
      const now = updateMesh(mesh, openedChanges(pending), mesh.revision);
      const then = updateMesh(now, changes, mesh.revision + 1);
      return (proxy) => {
        // What is remembered for the connected proxy must not give way to a draft: the twin has a memory of its own.
        const twin = { ...proxy };
        return { before: translate(now, twin, translateOptions), after: translate(then, twin, translateOptions) };
      };
    },
    trustDomains: () => trustDomainsOf(mesh),
    rateLimits() {
      const objects = mesh.objects.get("RateLimitConfig") ?? noObjects;
      const own = serviceLimits(mesh);
      return memo(objects, "rate-limits", [own], () => [
        ...[...objects.values()].sort(olderFirst).map(({ spec }) => spec as RateLimitConfigSpec),
        own,
      ]);
    },
    services() {
      if (described?.of !== mesh) described = { of: mesh, services: meshServices(mesh) };
      return described.services;
    },
  };
}
