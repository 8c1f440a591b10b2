import type { PushStatus, PushSummary } from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";

/** Enough of a stream to follow a push over it. */
export interface PushTarget {
  readonly node: { readonly id: string };
}

export interface TrackedCommit {
  revision: number;
  /** Unix milliseconds. */
  at: number;
  author: string;
  reason?: string;
}

interface ProxyPush {
  name: string;
  state: "pending" | "acked" | "nacked" | "gone";
  ms: number | null;
  errors: string[];
  /** The proxy's streams that still owe an answer: one, unless it has a stream per type. */
  readonly open: Set<PushTarget>;
}

interface Push {
  readonly commit: TrackedCommit;
  readonly proxies: Map<string, ProxyPush>;
  /** All affected proxies are known. */
  sealed: boolean;
  /** How many of them are pending: with thousands, they are not counted again at each answer. */
  pending: number;
}

export interface PushTrackerOptions {
  clock: Clock;
  /** Revisions kept. Default 200. */
  limit?: number;
  /** Once per revision, when every affected proxy has answered or gone. */
  onComplete?(status: PushStatus): void;
}

/** How each revision reaches the fleet: whom it concerns, and when each of them had it in force, or refused it. */
export class PushTracker {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #onComplete: ((status: PushStatus) => void) | undefined;
  /** Oldest first. */
  readonly #pushes = new Map<number, Push>();
  /** By node id: the pushes that it has not answered, or left without an answer. */
  readonly #owed = new Map<string, Set<Push>>();
  readonly #waiting = new Set<{ revision: number; resolve: (status: PushStatus | undefined) => void }>();

  constructor(options: PushTrackerOptions) {
    this.#clock = options.clock;
    this.#limit = options.limit ?? 200;
    this.#onComplete = options.onComplete;
  }

  /** Revisions that go out together, before anything is sent. */
  begin(commits: readonly TrackedCommit[]): void {
    for (const commit of commits)
      this.#pushes.set(commit.revision, { commit, proxies: new Map(), sealed: false, pending: 0 });
    while (this.#pushes.size > this.#limit) {
      const [oldest] = this.#pushes.keys();
      if (oldest === undefined) break;
      this.#forget(oldest);
      this.#resolveWaiting(oldest, undefined);
    }
  }

  /** The proxy on this stream gets something new by these revisions. */
  affect(commits: readonly TrackedCommit[], target: PushTarget, name: string): void {
    for (const { revision } of commits) {
      const push = this.#pushes.get(revision);
      if (!push) continue;
      const known = push.proxies.get(target.node.id);
      if (known) {
        // Another stream of it, while an earlier one may have had nothing to answer for.
        known.open.add(target);
        if (known.state !== "pending") push.pending += 1;
        known.state = "pending";
      } else {
        push.pending += 1;
        push.proxies.set(target.node.id, { name, state: "pending", ms: null, errors: [], open: new Set([target]) });
      }
      this.#owe(target.node.id, push);
    }
  }

  /** Nobody else is affected. */
  seal(commits: readonly TrackedCommit[]): void {
    for (const { revision } of commits) {
      const push = this.#pushes.get(revision);
      if (!push) continue;
      push.sealed = true;
      this.#checkComplete(push);
    }
  }

  refused(target: PushTarget, error: string): void {
    for (const { proxies } of this.#owedBy(target)) {
      const proxy = proxies.get(target.node.id);
      if (proxy?.open.has(target) && proxy.errors.length < 20) proxy.errors.push(error);
    }
  }

  /** The stream has answered for everything up to this revision. Also of a proxy that came back on a new stream. */
  settled(target: PushTarget, upTo: number): void {
    for (const push of this.#owedBy(target)) {
      const proxy = push.proxies.get(target.node.id);
      if (!proxy || push.commit.revision > upTo || !(proxy.open.delete(target) || proxy.state === "gone")) continue;
      if (proxy.open.size > 0) continue;
      const wasComplete = proxy.state === "gone";
      if (proxy.state === "pending") push.pending -= 1;
      proxy.state = proxy.errors.length > 0 ? "nacked" : "acked";
      proxy.ms = Math.max(0, this.#clock.now() - push.commit.at);
      this.#answered(target.node.id, push);
      if (!wasComplete) this.#checkComplete(push);
    }
  }

  gone(target: PushTarget): void {
    for (const push of this.#owedBy(target)) {
      const proxy = push.proxies.get(target.node.id);
      if (!proxy?.open.delete(target) || proxy.open.size > 0) continue;
      proxy.state = "gone";
      push.pending -= 1;
      this.#checkComplete(push);
    }
  }

  /** The newest first. */
  history(): PushSummary[] {
    return [...this.#pushes.values()].reverse().map(toSummary);
  }

  get(revision: number | "latest"): PushStatus | undefined {
    const key = revision === "latest" ? [...this.#pushes.keys()].at(-1) : revision;
    const push = key === undefined ? undefined : this.#pushes.get(key);
    return push && toStatus(push);
  }

  /** The status once complete, or as it is after `timeoutMs`; undefined when the revision is not, and will not be, known by then. */
  wait(revision: number, timeoutMs: number): Promise<PushStatus | undefined> {
    const now = this.get(revision);
    if (now?.complete) return Promise.resolve(now);
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => entry.resolve(this.get(revision)), timeoutMs);
      const entry = {
        revision,
        resolve: (status: PushStatus | undefined) => {
          timer.cancel();
          this.#waiting.delete(entry);
          resolve(status);
        },
      };
      this.#waiting.add(entry);
    });
  }

  /** A copy, oldest first: answers change the set. */
  #owedBy({ node }: PushTarget): Push[] {
    return [...(this.#owed.get(node.id) ?? [])];
  }

  #owe(id: string, push: Push): void {
    const owed = this.#owed.get(id);
    if (owed) owed.add(push);
    else this.#owed.set(id, new Set([push]));
  }

  #answered(id: string, push: Push): void {
    const owed = this.#owed.get(id);
    owed?.delete(push);
    if (owed?.size === 0) this.#owed.delete(id);
  }

  #forget(revision: number): void {
    const push = this.#pushes.get(revision);
    this.#pushes.delete(revision);
    if (push) for (const id of push.proxies.keys()) this.#answered(id, push);
  }

  #checkComplete(push: Push): void {
    if (!push.sealed || push.pending > 0) return;
    const status = toStatus(push);
    this.#resolveWaiting(push.commit.revision, status);
    this.#onComplete?.(status);
  }

  #resolveWaiting(revision: number, status: PushStatus | undefined): void {
    for (const entry of [...this.#waiting]) if (entry.revision === revision) entry.resolve(status);
  }
}

const shownTrouble = 20;

function toSummary(push: Push): PushSummary {
  const { proxies, ...status } = toStatus(push);
  const acked = proxies.filter(({ state }) => state === "acked").length;
  const trouble = proxies.filter(({ state }) => state !== "acked").slice(0, shownTrouble);
  return { ...status, proxies: proxies.length, acked, trouble };
}

function toStatus({ commit, proxies, sealed, pending }: Push): PushStatus {
  const list = [...proxies].map(([id, { name, state, ms, errors }]) => ({
    id,
    name,
    state,
    ms,
    error: errors.length > 0 ? errors.join("\n") : null,
  }));
  const complete = sealed && pending === 0;
  return {
    revision: commit.revision,
    committedAt: commit.at,
    author: commit.author,
    reason: commit.reason ?? null,
    complete,
    ms: complete ? list.reduce((slowest, { ms }) => Math.max(slowest, ms ?? 0), 0) : null,
    proxies: list.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
