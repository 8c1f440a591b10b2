import type { ConfigObject } from "../../config/object.ts";
import type { ConfigChange } from "../../config/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Mesh } from "../../model/mesh.ts";
import {
  isRegistered,
  type RegisteredWorkload,
  registeredEntry,
  registeredName,
} from "../../model/registered-workloads.ts";
import type { WorkloadGroupSpec } from "../../model/specs.ts";
import { RequestError } from "../../xds/request-error.ts";
import { type ChangeLog, createChangeLog } from "./change-log.ts";
import type { RegistrationCounters } from "./counters.ts";
import type { RegistrationRequest } from "./registration-request.ts";

/** Where registrations are kept over a restart, and where replicas see each other's. */
export interface RegistrationStore {
  load(): Promise<readonly RegisteredWorkload[]>;
  /** What changed of them; null: it is gone. Rejects when it can't be written. */
  save(changes: ReadonlyMap<string, RegisteredWorkload | null>): Promise<void>;
}

export interface RegistrationsOptions {
  clock: Clock;
  logger: Logger;
  /** Unset: they are known as long as this process lives. */
  store?: RegistrationStore | undefined;
  /** Names this process among others, and after a restart. */
  controller: string;
  /** The groups there are, and the services that they serve. */
  mesh(): Mesh;
  /** Something is to be brought to everyone. */
  onChange(): void;
  count: RegistrationCounters;
  /** How long a workload whose proxy is gone is kept. Default 10 s, as istiod has it. */
  graceMs?: number;
  /** How long one is that was connected to a control plane that ended: its proxy has to find another. Default 60 s. */
  restartGraceMs?: number;
  /** Default 10,000. */
  limit?: number;
}

/** A stream by which a proxy is there. */
type Stream = object;

interface Known {
  workload: RegisteredWorkload;
  readonly streams: Set<Stream>;
  ending: { cancel(): void } | undefined;
}

const saveAfterMs = 50;

/**
 * Workloads that come and go with their proxies: a proxy that says which WorkloadGroup it is of has a WorkloadEntry for as long as it is connected, and a
 * little longer. These are facts and no config (docs/decisions/0062): they have no revision, and go into the mesh beside commits.
 */
export class Registrations {
  readonly #options: Required<Pick<RegistrationsOptions, "graceMs" | "restartGraceMs" | "limit">> &
    RegistrationsOptions;
  readonly #known = new Map<string, Known>();
  readonly #streams = new Map<Stream, string>();
  /** What was told of a workload before its proxy was there. */
  readonly #early = new Map<Stream, { key: string; problem: string | undefined }>();
  readonly #unsaved = new Map<string, RegisteredWorkload | null>();
  /** What the mesh has been given. */
  readonly #given = new Map<string, { workload: RegisteredWorkload; group: ConfigObject; entry: ConfigObject }>();
  readonly log: ChangeLog = createChangeLog();
  #saving: { cancel(): void } | undefined;
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;
  #sequence = 0;

  constructor(options: RegistrationsOptions) {
    this.#options = { graceMs: 10_000, restartGraceMs: 60_000, limit: 10_000, ...options };
  }

  /** Counts what changed, in this process. */
  get sequence(): number {
    return this.#sequence;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Reads what was known before; whose proxy does not come back is forgotten in time. */
  async start(): Promise<void> {
    const { store, clock, graceMs, restartGraceMs, logger } = this.#options;
    try {
      for (const workload of (await store?.load()) ?? []) {
        const known: Known = { workload, streams: new Set(), ending: undefined };
        this.#known.set(keyOf(workload), known);
        const wait = workload.disconnectedAt === null ? restartGraceMs : graceMs;
        if (workload.disconnectedAt === null) known.workload = { ...workload, disconnectedAt: clock.now() };
        this.#endLater(known, wait);
      }
    } catch (error) {
      logger.warn(
        { err: error },
        "the registered workloads can't be read; only those whose proxies come now are known",
      );
    }
  }

  /** Streams that end from now on end with the control plane: who was there is written down as connected. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { ending } of this.#known.values()) ending?.cancel();
    this.#saving?.cancel();
    await this.#save();
  }

  /** Throws `RequestError` for one that may not be registered so. */
  connected(stream: Stream, request: RegistrationRequest): void {
    const { clock, controller, count, logger, limit } = this.#options;
    const { proxy } = request;
    const key = keyOf(request);
    const now = clock.now();
    const known = this.#known.get(key);
    try {
      this.#check(request, known);
      if (known === undefined && this.#known.size >= limit)
        throw new RequestError(`there are ${limit} registered workloads already`);
    } catch (error) {
      count.failed();
      throw error;
    }
    known?.ending?.cancel();
    const workload: RegisteredWorkload = {
      namespace: request.namespace,
      group: request.group,
      node: proxy.id,
      workload: proxy.name,
      address: request.address,
      labels: proxy.labels,
      network: request.network,
      locality: proxy.locality,
      serviceAccount: proxy.serviceAccount,
      probed: request.probed,
      // What it said before is so until it says something else: its control plane was away, and not the workload.
      health: known?.workload.node === proxy.id ? known.workload.health : undefined,
      registeredAt: known?.workload.registeredAt ?? now,
      connectedAt: now,
      disconnectedAt: null,
      controller,
    };
    const streams = (known?.streams ?? new Set()).add(stream);
    this.#known.set(key, { workload, streams, ending: undefined });
    this.#streams.set(stream, key);
    if (known === undefined) count.registered();
    else count.updated();
    logger.info({ proxy: proxy.id, entry: key, group: request.group }, "a workload is registered");
    this.#changed(key, workload);
    const early = [...this.#early].find(([, said]) => said.key === key);
    if (early === undefined) return;
    this.#early.delete(early[0]);
    this.reported(early[0], early[1].problem);
  }

  /** A stream that is no proxy's, by which is told what was found of a workload whose proxy is or will be there. Throws `RequestError` for another's. */
  speaksFor(stream: Stream, request: RegistrationRequest): void {
    const key = keyOf(request);
    this.#check(request, this.#known.get(key));
    this.#streams.set(stream, key);
  }

  disconnected(stream: Stream): void {
    const key = this.#streams.get(stream);
    this.#streams.delete(stream);
    this.#early.delete(stream);
    const known = key === undefined ? undefined : this.#known.get(key);
    if (key === undefined || !known?.streams.delete(stream) || known.streams.size > 0 || this.#stopped) return;
    this.#options.count.unregistered();
    known.workload = { ...known.workload, disconnectedAt: this.#options.clock.now() };
    this.#endLater(known, this.#options.graceMs);
    this.#changed(key, known.workload);
  }

  /** What the workload's probe found; `problem` undefined: it is well. */
  reported(stream: Stream, problem: string | undefined): void {
    const key = this.#streams.get(stream);
    const known = key === undefined ? undefined : this.#known.get(key);
    if (key === undefined) return;
    if (known === undefined) {
      this.#early.set(stream, { key, problem });
      return;
    }
    if (!known.workload.probed) return;
    const { clock, logger } = this.#options;
    const healthy = problem === undefined;
    const { health } = known.workload;
    const message = (problem ?? "").slice(0, maxMessage);
    if (health?.healthy === healthy && health.message === message) return;
    known.workload = { ...known.workload, health: { healthy, message, at: clock.now() } };
    logger.info({ entry: key, healthy, problem }, "a registered workload told its health");
    this.#changed(key, known.workload);
  }

  /** For one whose machine is gone for good, or that is to register anew. False: there is none of that name. */
  remove(key: string): boolean {
    const known = this.#known.get(key);
    if (known === undefined) return false;
    known.ending?.cancel();
    for (const stream of known.streams) this.#streams.delete(stream);
    this.#known.delete(key);
    this.#changed(key, null);
    return true;
  }

  /** By `<namespace>/<name>` of the entry. */
  get(key: string): RegisteredWorkload | undefined {
    return this.#known.get(key)?.workload;
  }

  /** The entries that the mesh was given last. */
  entries(): ConfigObject[] {
    return [...this.#given.values()].map(({ entry }) => entry);
  }

  /**
   * What has to be changed in a mesh for it to have what is registered: entries of groups that are there, each as its group has it now. What somebody
   * wrote under the same name is let stand.
   */
  changesFor(mesh: Mesh): ConfigChange[] {
    const groups = mesh.objects.get("WorkloadGroup") ?? none;
    const entries = mesh.objects.get("WorkloadEntry") ?? none;
    const changes: ConfigChange[] = [];
    const wanted = new Set<string>();
    for (const [key, { workload }] of this.#known) {
      const group = groups.get(`${workload.namespace}/${workload.group}`);
      const there = entries.get(key);
      if (group === undefined || (there !== undefined && !isRegistered(there))) continue;
      wanted.add(key);
      const given = this.#given.get(key);
      if (there !== undefined && given?.entry === there && given.workload === workload && given.group === group)
        continue;
      const entry =
        given?.workload === workload && given.group === group
          ? given.entry
          : registeredEntry(workload, group, mesh.revision);
      this.#given.set(key, { workload, group, entry });
      changes.push(changeOf(entry, there, entry));
    }
    for (const [key, { entry }] of this.#given) {
      if (wanted.has(key)) continue;
      this.#given.delete(key);
      const there = entries.get(key);
      if (there === entry) changes.push(changeOf(entry, there, undefined));
    }
    this.log.add(mesh.revision, changes);
    return changes;
  }

  #check(request: RegistrationRequest, known: Known | undefined): void {
    const { group: name, namespace, proxy } = request;
    const group = this.#options.mesh().objects.get("WorkloadGroup")?.get(`${namespace}/${name}`);
    if (group === undefined)
      throw new RequestError(`there is no WorkloadGroup ${namespace}/${name} (node metadata AUTO_REGISTER_GROUP)`);
    const { serviceAccount } = (group.spec as WorkloadGroupSpec).template;
    if (serviceAccount && serviceAccount !== proxy.serviceAccount) {
      throw new RequestError(
        `workloads of WorkloadGroup ${namespace}/${name} have the service account ${JSON.stringify(serviceAccount)}, and this one has ${JSON.stringify(proxy.serviceAccount)}`,
      );
    }
    const other = known?.workload;
    if (other && known.streams.size > 0 && (other.node !== proxy.id || other.serviceAccount !== proxy.serviceAccount)) {
      throw new RequestError(
        `WorkloadEntry ${keyOf(request)} is that of ${other.node}, which is connected: each workload of a group needs an address of its own`,
      );
    }
  }

  #endLater(known: Known, ms: number): void {
    known.ending?.cancel();
    const key = keyOf(known.workload);
    known.ending = this.#options.clock.setTimeout(() => {
      if (this.#known.get(key) !== known || known.streams.size > 0) return;
      this.#known.delete(key);
      this.#options.count.removed();
      this.#options.logger.info({ entry: key }, "a workload whose proxy is gone is registered no more");
      this.#changed(key, null);
    }, ms);
  }

  #changed(key: string, workload: RegisteredWorkload | null): void {
    this.#sequence += 1;
    this.#unsaved.set(key, workload);
    if (this.#options.store && !this.#saving && !this.#stopped)
      this.#saving = this.#options.clock.setTimeout(() => void this.#save(), saveAfterMs);
    this.#options.onChange();
  }

  async #save(): Promise<void> {
    this.#saving = undefined;
    const { store, logger } = this.#options;
    if (store === undefined || this.#unsaved.size === 0) return this.#writing;
    const changes = new Map(this.#unsaved);
    this.#unsaved.clear();
    this.#writing = this.#writing.then(() =>
      store.save(changes).catch((error: unknown) => {
        logger.warn({ err: error }, "registered workloads could not be written; after a restart some will be missing");
      }),
    );
    return this.#writing;
  }
}

const maxMessage = 1_024;
const none: ReadonlyMap<string, ConfigObject> = new Map();

export const keyOf = (of: Pick<RegisteredWorkload, "namespace" | "group" | "address" | "network">): string =>
  `${of.namespace}/${registeredName(of)}`;

function changeOf(
  entry: ConfigObject,
  before: ConfigObject | undefined,
  after: ConfigObject | undefined,
): ConfigChange {
  const { namespace, name } = entry.metadata;
  const key = { kind: "WorkloadEntry", namespace, name };
  if (after === undefined) return { type: "DELETED", key, ...(before && { before }) };
  return before ? { type: "MODIFIED", key, before, after } : { type: "ADDED", key, after };
}
