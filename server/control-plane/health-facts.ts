import { hash } from "node:crypto";
import { create, equals } from "@bufbuild/protobuf";
import { type HealthCheckSpecifier, HealthCheckSpecifierSchema } from "../gen/proto/envoy/service/health/v3/hds_pb.js";
import type { Clock } from "../lib/clock.ts";
import type { Endpoint } from "../model/endpoints.ts";
import { type CheckedPort, type EndpointHealth, healthKey, noHealth } from "../model/health-checks.ts";
import { parseProxy } from "../model/parse-proxy.ts";
import { configWay } from "../translate/config-source.ts";
import { milliseconds } from "../translate/duration.ts";
import type { SecretSource } from "../translate/mutual-tls.ts";
import { clusterProbes, probedCluster, probeIntervalMs } from "../translate/probes.ts";
import type { ProbedEndpoint, Prober } from "../xds/hds.ts";

export interface HealthFactsOptions {
  clock: Clock;
  /** What was found has changed. */
  onChange(): void;
}

interface Assignment {
  /** On the ring. */
  readonly place: string;
  /** Where it finds its certificate, for endpoints that want to see one; undefined: it has none. */
  readonly certificates: SecretSource | undefined;
  specifier: HealthCheckSpecifier | undefined;
  /** The `healthKey` of what it probes, by cluster, address and port. */
  readonly keys: Map<string, string>;
  /** By `healthKey`, as it said last. */
  readonly votes: Map<string, { healthy: boolean; at: number; reports: number }>;
  reportMs: number;
}

/**
 * Which proxies probe which endpoints, and what they found: facts of the registry, which no config object says and no commit brings. They have a
 * sequence of their own. Where nobody has probed, or those who did are gone, nothing is said, and endpoints get requests as ever.
 */
export class HealthFacts {
  readonly #options: HealthFactsOptions;
  readonly #probers = new Map<Prober, Assignment>();
  #ports: readonly CheckedPort[] = [];
  #health: EndpointHealth = noHealth;
  #sequence = 0;
  #timer: { cancel(): void } | undefined;
  #assigning: { cancel(): void } | undefined;

  constructor(options: HealthFactsOptions) {
    this.#options = options;
  }

  /** Counts changes of `health`, in this process. */
  get sequence(): number {
    return this.#sequence;
  }
  /** The same object until something changes. */
  get health(): EndpointHealth {
    return this.#health;
  }
  get proberCount(): number {
    return this.#probers.size;
  }

  /** The mesh has other ports to probe, or other endpoints at them. */
  setPorts(ports: readonly CheckedPort[]): void {
    if (ports === this.#ports) return;
    this.#ports = ports;
    this.#assignSoon();
  }

  join(prober: Prober): void {
    this.#probers.set(prober, {
      place: placeOf(prober.node.id),
      certificates: certificatesOf(prober),
      specifier: undefined,
      keys: new Map(),
      votes: new Map(),
      reportMs: 1_000,
    });
    this.#assignSoon();
  }

  leave(prober: Prober): void {
    if (this.#probers.delete(prober)) this.#assignSoon();
  }

  report(prober: Prober, endpoints: readonly ProbedEndpoint[]): void {
    const assignment = this.#probers.get(prober);
    if (!assignment) return;
    const at = this.#options.clock.now();
    let heard = false;
    for (const { cluster, address, port, healthy } of endpoints) {
      // Whoever speaks of what it was not asked is not heard.
      const key = assignment.keys.get(`${cluster} ${address}:${port}`);
      if (key === undefined) continue;
      const reports = (assignment.votes.get(key)?.reports ?? 0) + 1;
      assignment.votes.set(key, { healthy, at, reports });
      heard = true;
    }
    // Most proxies of a large mesh have nothing to probe, and say so every few seconds.
    if (heard) this.#count();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#assigning?.cancel();
  }

  /** Soon: many come at once. */
  #assignSoon(): void {
    this.#assigning ??= this.#options.clock.setTimeout(() => {
      this.#assigning = undefined;
      this.#assign();
    }, assignAfterMs);
  }

  /** Each endpoint to as many probers as its check says: those behind it on a ring, so that who comes or goes moves only its own share. */
  #assign(): void {
    // Of thousands that come at once nobody is sorted for nothing.
    const idle = this.#ports.length === 0;
    const rings = idle ? { http: [], tcp: [] } : { http: this.#ring("http"), tcp: this.#ring("tcp") };
    const shares = new Map([...this.#probers.keys()].map((prober) => [prober, new Map<CheckedPort, Endpoint[]>()]));
    for (const checked of this.#ports) {
      const able = checked.spec.http ? rings.http : rings.tcp;
      const ring = checked.mutualTls ? able.filter(({ certified }) => certified) : able;
      for (const endpoint of checked.endpoints) {
        const place = placeOf(`${checked.service.key} ${endpoint.address}:${endpoint.port}`);
        const first = ring.findIndex((it) => it.place >= place);
        for (let i = 0; i < Math.min(checked.spec.probers ?? 3, ring.length); i++) {
          const share = shares.get((ring[(Math.max(first, 0) + i) % ring.length] as Place).prober);
          const endpoints = share?.get(checked) ?? [];
          endpoints.push(endpoint);
          share?.set(checked, endpoints);
        }
      }
    }
    for (const [prober, share] of shares) this.#tell(prober, share);
    this.#count();
  }

  /** Who has shown a certificate goes before who says only a name. */
  #ring(kind: "http" | "tcp"): Place[] {
    const able = [...this.#probers].filter(([{ protocols }]) => protocols.has(kind));
    const certified = able.filter(([{ identity }]) => identity !== undefined);
    return (certified.length > 0 ? certified : able)
      .map(([prober, { place, certificates }]) => ({ prober, place, certified: certificates !== undefined }))
      .sort((a, b) => (a.place < b.place ? -1 : 1));
  }

  #tell(prober: Prober, share: ReadonlyMap<CheckedPort, readonly Endpoint[]>): void {
    const assignment = this.#probers.get(prober);
    if (!assignment) return;
    // Who never had anything to do need not be told so: most proxies of the mesh. Who is asked only when nobody else is there learns that it was heard.
    if (share.size === 0 && assignment.specifier === undefined && prober.identity !== undefined) return;
    assignment.keys.clear();
    for (const [checked, endpoints] of share) {
      for (const endpoint of endpoints) {
        const at = `${probedCluster(checked)} ${endpoint.address}:${endpoint.port}`;
        assignment.keys.set(at, healthKey(checked.service, endpoint));
      }
    }
    const kept = new Set(assignment.keys.values());
    for (const key of assignment.votes.keys()) if (!kept.has(key)) assignment.votes.delete(key);
    // A report each interval of the quickest check.
    const quickest = Math.min(5_000, ...[...share.keys()].map(({ spec }) => probeIntervalMs(spec)));
    assignment.reportMs = share.size === 0 ? idleReportMs : Math.max(100, quickest);
    const specifier = create(HealthCheckSpecifierSchema, {
      clusterHealthChecks: [...share].map(([checked, endpoints]) =>
        clusterProbes(checked, endpoints, assignment.certificates),
      ),
      interval: milliseconds(assignment.reportMs),
    });
    if (assignment.specifier && equals(HealthCheckSpecifierSchema, assignment.specifier, specifier)) return;
    assignment.specifier = specifier;
    prober.assign(specifier);
  }

  /** Most of those who probed an endpoint must find it unhealthy. */
  #count(): void {
    const now = this.#options.clock.now();
    const tally = new Map<string, { healthy: number; unhealthy: number }>();
    for (const { votes, reportMs } of this.#probers.values()) {
      for (const [key, { healthy, at, reports }] of votes) {
        // A prober takes every endpoint for unhealthy until it has an answer: its first report may be of before.
        if (at < now - staleIntervals * reportMs || (!healthy && reports < 2)) continue;
        const counts = tally.get(key) ?? { healthy: 0, unhealthy: 0 };
        counts[healthy ? "healthy" : "unhealthy"] += 1;
        tally.set(key, counts);
      }
    }
    const health = new Map([...tally].map(([key, { healthy, unhealthy }]) => [key, healthy >= unhealthy]));
    this.#watchSilence();
    if (isSame(this.#health, health)) return;
    this.#health = health;
    this.#sequence += 1;
    this.#options.onChange();
  }

  /** What nobody reports any more is forgotten in time. */
  #watchSilence(): void {
    this.#timer?.cancel();
    const heard = [...this.#probers.values()].filter(({ votes }) => votes.size > 0);
    const waits = heard.map(({ reportMs }) => staleIntervals * reportMs);
    if (waits.length > 0) this.#timer = this.#options.clock.setTimeout(() => this.#count(), Math.min(...waits) + 1);
  }
}

interface Place {
  readonly prober: Prober;
  readonly place: string;
  readonly certified: boolean;
}

/** As for its clusters. Who offers to probe has a stream for its configuration beside this one. */
function certificatesOf({ node, identity }: Prober): SecretSource | undefined {
  if (identity === undefined) return undefined;
  const { id, cluster, metadata = {}, userAgentName } = node;
  const proxy = parseProxy({ id, cluster, metadata, userAgentName, delta: true, identity });
  return proxy.ok ? configWay(proxy.value).secret : undefined;
}

const placeOf = (name: string): string => hash("sha1", name, "hex");

const assignAfterMs = 50;

/** Of those who have nothing to report. */
const idleReportMs = 60_000;

/** A prober that has said nothing for so many of its intervals has no say. */
const staleIntervals = 4;

const isSame = (a: EndpointHealth, b: EndpointHealth): boolean =>
  a.size === b.size && [...b].every(([key, healthy]) => a.get(key) === healthy);
