import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { memo } from "../lib/memo.ts";
import { mapSteps } from "../lib/lineage.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { ownIdentity } from "../model/trust-domains.ts";
import type { ProxyResources } from "../translate/resources.ts";
import { UnsupportedProxyError } from "../translate/translate.ts";
import { namesThatDiffer } from "../xds/map-difference.ts";
import { RequestError } from "../xds/request-error.ts";
import type { Session } from "../xds/session.ts";
import { createSnapshot, findInconsistencies, type SecretMessages, withSecrets } from "../xds/snapshot.ts";
import { type Resource, type ResourceMap, type Snapshot, TypeUrl } from "../xds/types.ts";
import { identityProblem } from "./check-identity.ts";
import type { Credentials, SecretsLease } from "./credentials.ts";
import { originsOf } from "./origins.ts";
import type { MeshPipeline } from "./pipeline.ts";
import { isCredential } from "./secrets/credential-secrets.ts";

export interface DistributorOptions {
  pipeline: MeshPipeline;
  /** Undefined: there is no certificate authority, and nobody gets secrets. */
  credentials?: Credentials;
  /** Whether an identity is to get nothing any more. */
  isRevoked?(identity: string): boolean;
  clock: Clock;
  logger: Logger;
  /** Translation failed or contradicts itself; the proxy keeps what it has. */
  onFailure(session: Session): void;
  onTranslated(ms: number): void;
}

interface Client {
  session: Session;
  proxy: MeshProxy;
  resources: ProxyResources | undefined;
  /** Of a proxy with an identity. */
  lease: SecretsLease | undefined;
  /** The newest from the lease. Before there are any, nothing is published: what is configured would name them in vain. */
  secrets: SecretMessages | undefined;
  /** Ends the wait for the first of them. */
  patience: { cancel(): void } | undefined;
}

const nothingYet = { resources: undefined, lease: undefined, secrets: undefined, patience: undefined };

/** A proxy whose certificate does not come in this time is sent away, to come back later. */
const secretsWaitMs = 15_000;

/** After this long with one proxy after another, sockets get their turn. */
const sliceMs = 8;

/** Brings each connected proxy what the mesh means for it, and leaves alone whom nothing changed for. */
export class Distributor {
  readonly #options: DistributorOptions;
  readonly #clients = new Map<Session, Client>();

  constructor(options: DistributorOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  proxyOf(session: Session): MeshProxy | undefined {
    return this.#clients.get(session)?.proxy;
  }

  /** Who is connected, each id once. */
  proxies(): MeshProxy[] {
    return [...new Map([...this.#clients.values()].map(({ proxy }) => [proxy.id, proxy])).values()];
  }

  /** Throws `RequestError` for a proxy that is not served: with an open stream that says nothing it would look for the fault in vain. */
  connect(session: Session): void {
    const client: Client = { session, proxy: this.#parse(session), ...nothingYet };
    // Before anything can fail: whoever is turned away is disconnected like anyone else.
    this.#clients.set(session, client);
    const { identity, secretsFolder } = client.proxy;
    // Whose key is its own is sent none.
    if (identity !== undefined && secretsFolder === undefined) this.#lease(client, identity);
    const snapshot = this.#translate(client);
    if (snapshot) session.publish(snapshot);
  }

  disconnect(session: Session): void {
    const client = this.#clients.get(session);
    this.#clients.delete(session);
    client?.patience?.cancel();
    client?.lease?.release();
  }

  #lease(client: Client, identity: string): void {
    const { clock, credentials } = this.#options;
    client.lease = credentials?.lease(identity, () => this.#secretsChanged(client));
    client.secrets = client.lease?.current();
    if (!client.secrets) client.patience = clock.setTimeout(() => this.#giveUp(client), secretsWaitMs);
  }

  /**
   * The first secrets bring a proxy everything, from the mesh as it is by then. Later ones only take the place of those before: whatever else there is
   * to say at this moment is said by `distribute`, which tells whose change it was.
   */
  #secretsChanged(client: Client): void {
    const { session, lease } = client;
    const secrets = lease?.current();
    if (!secrets || !this.#clients.has(session)) return;
    client.patience?.cancel();
    client.secrets = secrets;
    const snapshot = session.snapshot ? this.#withSecrets(session.snapshot, client) : this.#translate(client);
    if (snapshot) session.publish(snapshot);
  }

  #giveUp({ session, proxy }: Client): void {
    this.#options.logger.error({ proxy: proxy.id, identity: proxy.identity }, "sent away: no certificate in time");
    session.end("no certificate could be issued for this proxy; come back later");
  }

  /** To everyone whom the mesh as it is now gives something new; each is announced before anything is sent to it. */
  async distribute(announce: (session: Session, name: string) => void): Promise<void> {
    let sliceStart = performance.now();
    for (const client of [...this.#clients.values()]) {
      if (performance.now() - sliceStart > sliceMs) {
        await new Promise((resolve) => setImmediate(resolve));
        sliceStart = performance.now();
      }
      if (!this.#clients.has(client.session)) continue; // it left meanwhile
      const snapshot = this.#translate(client);
      if (!snapshot || (client.session.snapshot && sameContent(client.session.snapshot, snapshot))) continue;
      announce(client.session, client.proxy.name);
      client.session.publish(snapshot);
    }
  }

  /** Proxies that hold something made from one of these paths, and (for objects without a trace) everyone the filter names. */
  countAffected(paths: readonly string[], others: ((proxy: MeshProxy) => boolean) | undefined): number {
    const ids = new Set<string>();
    for (const { proxy, resources } of this.#clients.values()) {
      const origins = resources ? originsOf(resources) : [];
      const traced = paths.some((path) => origins.some((set) => set.has(path)));
      if (traced || others?.(proxy)) ids.add(proxy.id);
    }
    return ids.size;
  }

  /** Whether any connected proxy holds something made from this path. */
  isTraced(path: string): boolean {
    return this.countAffected([path], undefined) > 0;
  }

  #parse(session: Session): MeshProxy {
    const { pipeline, isRevoked } = this.#options;
    let proxy: MeshProxy;
    try {
      proxy = pipeline.parseProxy(toProxyNode(session));
    } catch (error) {
      throw new RequestError(error instanceof Error ? error.message : String(error));
    }
    if (proxy.identity === undefined) return proxy;
    const trustDomains = pipeline.trustDomains();
    const problem = identityProblem(proxy, trustDomains);
    if (problem) throw new RequestError(problem);
    // Whoever comes by an alias goes by the mesh's own name from here on: its next certificate has that.
    const identity = ownIdentity(proxy.identity, trustDomains);
    if (isRevoked?.(identity)) throw new RequestError(`${identity} was revoked`);
    return identity === proxy.identity ? proxy : { ...proxy, identity };
  }

  /** The proxy's own, and those of people that its resources name. */
  #withSecrets(snapshot: Snapshot, { proxy, secrets = none }: Client): Snapshot {
    const names = credentialNames(snapshot);
    if (names.length === 0) return withSecrets(snapshot, secrets);
    const found = this.#options.pipeline.credentials(proxy, names);
    const all = memo(proxy, "secrets", [secrets, ...[...found].flat()], () => new Map([...secrets, ...found]));
    return withSecrets(snapshot, all);
  }

  #translate(client: Client): Snapshot | undefined {
    const { pipeline, logger, onFailure, onTranslated } = this.#options;
    const started = performance.now();
    try {
      const resources = pipeline.translate(client.proxy);
      if (client.lease && !client.secrets) return undefined;
      const snapshot = this.#withSecrets(createSnapshot(pipeline.revision, resources, client.secrets), client);
      const problems = findInconsistencies(snapshot);
      if (problems.length > 0) throw new Error(`inconsistent: ${problems.join("; ")}`);
      client.resources = resources;
      return snapshot;
    } catch (error) {
      if (error instanceof UnsupportedProxyError) throw new RequestError(error.message);
      logger.error({ err: error, proxy: client.proxy.id, revision: pipeline.revision }, "translation failed");
      onFailure(client.session);
      return undefined;
    } finally {
      onTranslated(performance.now() - started);
    }
  }
}

const none: SecretMessages = new Map();

function credentialNames({ resources }: Snapshot): string[] {
  const all = [...resources.values()].flatMap((map) =>
    mapSteps.memo<readonly string[]>(
      map,
      "credentials",
      [],
      () => [...map.values()].flatMap(credentialsOf),
      (before, { from, change }) => {
        const isNamed = (resource: Resource | undefined) =>
          resource !== undefined && credentialsOf(resource).length > 0;
        const old = from as ResourceMap;
        return [...change].some((name) => isNamed(old.get(name)) || isNamed(map.get(name))) ? undefined : before;
      },
    ),
  );
  return [...new Set(all)].sort();
}

const credentialsOf = ({ requires = [] }: Resource): string[] =>
  requires.filter(({ typeUrl, name }) => typeUrl === TypeUrl.secret && isCredential(name)).map(({ name }) => name);

const toProxyNode = ({ node, protocol, aggregated, identity }: Session) => ({
  id: node.id,
  cluster: node.cluster,
  metadata: node.metadata ?? {},
  userAgentName: node.userAgentName,
  clientFeatures: node.clientFeatures,
  delta: protocol === "delta",
  aggregated,
  identity,
  locality: node.locality,
});

function sameContent(a: Snapshot, b: Snapshot): boolean {
  for (const [typeUrl, resources] of b.resources) {
    if (!sameResources(a.resources.get(typeUrl), resources)) return false;
  }
  return true;
}

/** By identity where it holds, else by version: a mesh that was built anew makes equal resources of other objects. */
function sameResources(a: ResourceMap | undefined, b: ResourceMap): boolean {
  if (a === b) return true;
  if (a?.size !== b.size) return false;
  return namesThatDiffer(a, b).every((name) => a.get(name)?.version === b.get(name)?.version);
}
