import type { KnownProxy, ProxyAbsence } from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { nodeFacts } from "../xds/node-facts.ts";
import type { Session } from "../xds/session.ts";

/** Where they are kept over a restart. */
export interface KnownProxiesFile {
  /** Undefined: there is none yet, or none that can be read. */
  load(): KnownProxiesRecord | undefined;
  save(record: KnownProxiesRecord): void;
}

export interface KnownProxiesRecord {
  /** Who is connected in it was so at this time, Unix milliseconds. */
  savedAt: number;
  proxies: (KnownProxy & { registered?: boolean })[];
}

export interface KnownProxiesOptions {
  clock: Clock;
  logger: Logger;
  /** Undefined: they are known as long as this process lives. */
  file?: KnownProxiesFile;
  /** `<namespace>/<workload>` of every workload in the registry. */
  workloads(): ReadonlySet<string>;
  /** How long one that is gone is expected back. Default a day. */
  forgetAfterMs?: number;
  /** How long, once its workload has left the registry. Default a minute. */
  forgetUnregisteredMs?: number;
  /** Default 10,000; beyond, those that are gone longest are forgotten. */
  limit?: number;
}

interface Known {
  facts: Omit<KnownProxy, "connected">;
  streams: Set<Session>;
  /** Its workload was in the registry when it was last looked at. */
  registered: boolean;
  /** It was connected when the control plane before this one was last heard of. */
  restored?: boolean;
}

const saveAfterMs = 1000;
/** Of each proxy; what somebody sees who comes to look after a bad hour. */
const maxAbsences = 10;
/** How far off the end of a killed control plane's streams is told at the most. */
const heartbeatMs = 15_000;

/**
 * Who was connected, so that a proxy that is gone is missed and not just absent. A sidecar goes out of mind with its workload; anything else
 * is expected for a day, or until somebody says that it is gone for good.
 */
export class KnownProxies {
  readonly #options: KnownProxiesOptions;
  readonly #known = new Map<string, Known>();
  #saving: { cancel(): void } | undefined;
  #heart: { cancel(): void } | undefined;
  #stopped = false;

  constructor(options: KnownProxiesOptions) {
    this.#options = options;
  }

  /** Reads what the process before knew, whose streams ended with it. */
  start(): void {
    const record = this.#options.file?.load();
    for (const { connected, registered = false, ...facts } of record?.proxies ?? []) {
      const disconnectedAt = connected ? record?.savedAt : facts.disconnectedAt;
      const known = { facts: { ...facts, disconnectedAt: disconnectedAt ?? this.#options.clock.now() }, registered };
      this.#known.set(facts.id, { ...known, streams: new Set(), restored: connected });
    }
    this.#beat();
  }

  /** Streams that end from now on end with the control plane: they are written down as connected. */
  stop(): void {
    this.#stopped = true;
    this.#heart?.cancel();
    this.#saving?.cancel();
    this.#save();
  }

  connected(session: Session): void {
    if (!session.lasting) return;
    const { now } = this.#options.clock;
    const known = this.#known.get(session.node.id);
    const facts = {
      ...nodeFacts(session.node),
      protocol: session.protocol,
      connectedAt: now(),
      disconnectedAt: null,
      ...(known && absencesOf(known, now())),
      heldRevision: known?.facts.heldRevision ?? null,
      identity: session.identity ?? null,
    };
    const streams = known?.streams ?? new Set();
    this.#known.set(session.node.id, { facts, streams: streams.add(session), registered: known?.registered ?? false });
    this.#changed();
  }

  disconnected(session: Session): void {
    const known = this.#known.get(session.node.id);
    if (!known?.streams.delete(session) || known.streams.size > 0) return;
    known.facts = { ...known.facts, disconnectedAt: this.#options.clock.now() };
    this.#changed();
  }

  /** It has answered for everything up to this revision. */
  settled(session: Session, revision: number): void {
    const known = this.#known.get(session.node.id);
    if (!known?.streams.has(session)) return;
    known.facts = { ...known.facts, heldRevision: revision };
    this.#changed();
  }

  list(): KnownProxy[] {
    this.#tidy();
    return [...this.#known.values()].map(toKnownProxy).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Those that a revision could not reach. */
  missed(revision: number): { id: string; name: string; disconnectedAt: number }[] {
    this.#tidy();
    return [...this.#known.values()]
      .flatMap(({ facts: { id, name, disconnectedAt, heldRevision } }) =>
        disconnectedAt !== null && (heldRevision ?? 0) < revision ? [{ id, name, disconnectedAt }] : [],
      )
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** For one that is gone for good; `connected` ones can't be forgotten. */
  forget(id: string): "forgotten" | "connected" | "unknown" {
    const known = this.#known.get(id);
    if (!known) return "unknown";
    if (known.streams.size > 0) return "connected";
    this.#known.delete(id);
    this.#changed();
    return "forgotten";
  }

  #tidy(): void {
    const {
      clock,
      workloads,
      forgetAfterMs = 86_400_000,
      forgetUnregisteredMs = 60_000,
      limit = 10_000,
    } = this.#options;
    const registry = workloads();
    const gone: Known[] = [];
    for (const known of this.#known.values()) {
      const { facts } = known;
      const isRegistered = registry.has(`${facts.namespace}/${facts.name}`);
      const isSidecarWithout = facts.kind === "sidecar" && known.registered && !isRegistered;
      if (isRegistered || known.streams.size > 0) known.registered = isRegistered;
      if (facts.disconnectedAt === null) continue;
      const age = clock.now() - facts.disconnectedAt;
      if (age > (isSidecarWithout ? forgetUnregisteredMs : forgetAfterMs)) this.#known.delete(facts.id);
      else gone.push(known);
    }
    const excess = this.#known.size - limit;
    if (excess <= 0) return;
    const longest = gone.toSorted((a, b) => (a.facts.disconnectedAt ?? 0) - (b.facts.disconnectedAt ?? 0));
    for (const { facts } of longest.slice(0, excess)) this.#known.delete(facts.id);
  }

  #changed(): void {
    if (!this.#options.file || this.#saving || this.#stopped) return;
    this.#saving = this.#options.clock.setTimeout(() => this.#save(), saveAfterMs);
  }

  #beat(): void {
    if (!this.#options.file) return;
    this.#heart = this.#options.clock.setTimeout(() => {
      this.#save();
      this.#beat();
    }, heartbeatMs);
  }

  #save(): void {
    this.#saving?.cancel();
    this.#saving = undefined;
    const { clock, file, logger } = this.#options;
    this.#tidy();
    const proxies = [...this.#known.values()].map((known) => ({
      ...toKnownProxy(known),
      registered: known.registered,
    }));
    try {
      file?.save({ savedAt: clock.now(), proxies });
    } catch (error) {
      logger.warn({ err: error }, "the known proxies could not be written; after a restart some will not be missed");
    }
  }
}

/** With the one that ends now. */
function absencesOf({ facts, restored }: Known, now: number): Pick<KnownProxy, "absences"> {
  const { disconnectedAt: from, absences = [] } = facts;
  if (from === null) return { absences };
  const whose: ProxyAbsence["whose"] = restored ? "control-plane" : "proxy";
  return { absences: [...absences, { from, to: now, whose }].slice(-maxAbsences) };
}

const toKnownProxy = ({ facts, streams }: Known): KnownProxy => ({ ...facts, connected: streams.size > 0 });
