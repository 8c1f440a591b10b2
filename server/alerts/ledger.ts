import { randomUUID } from "node:crypto";
import type { AlertEnd, AlertMeasure, AlertSubject, Notice } from "../contract/index.ts";
import type { Finding } from "./judge.ts";
import type { AlertRule } from "./rules.ts";

/** So many that are over are kept. */
const maxOver = 500;
/** Past it, what else is broken is not told of: a mesh that is down is one story. */
const maxActive = 500;
/** It has to be well for so long before it is said to be over: what comes and goes is told once. */
const calmMs = 30_000;

/** What happened to a notice just now. */
export interface Told {
  notice: Notice;
  phase: "fired" | "cleared";
}

type Breach = NonNullable<Finding["breach"]>;

/** Larger is worse, but for a rate that is too low and for when something ends. */
const isWorse = (measure: AlertMeasure, value: number, than: number): boolean =>
  measure === "rate-below" || measure === "certificate" || measure === "proxy-disconnected"
    ? value < than
    : value > than;

/** Which notices there are: from what rules find, look by look. It knows no clock and no store of its own. */
export class Ledger {
  /** Those that last. */
  readonly #active = new Map<string, Notice>();
  #over: Notice[] = [];
  /** Since when what is not yet told of lasts, and since when what was told of is well. */
  readonly #pending = new Map<string, number>();
  readonly #calm = new Map<string, number>();

  constructor(notices: readonly Notice[] = []) {
    for (const notice of notices) {
      if (notice.clearedAt === null) this.#active.set(keyOf(notice.rule, notice.subject), notice);
      else this.#over.push(notice);
    }
    this.#trim();
  }

  get active(): Notice[] {
    return [...this.#active.values()].sort(
      (a, b) => gravity[b.severity] - gravity[a.severity] || b.firedAt - a.firedAt,
    );
  }
  /** The newest first. */
  get over(): readonly Notice[] {
    return this.#over;
  }

  /** One look by one rule. `findings` undefined: nothing can be said, so nothing changes. */
  look(rule: AlertRule, findings: readonly Finding[] | undefined, now: number): Told[] {
    if (rule.suspended) return this.#end(rule.key, () => false, "rule-gone", now);
    if (findings === undefined) return [];
    const told: Told[] = [];
    const seen = new Set<string>();
    for (const { subject, breach } of findings) {
      const key = keyOf(rule.key, subject);
      seen.add(key);
      const happened = breach ? this.#broken(key, rule, subject, breach, now) : this.#holds(key, now);
      if (happened) told.push(happened);
    }
    return [...told, ...this.#end(rule.key, (key) => seen.has(key), "gone", now)];
  }

  /** Those that began while their rule was muted, once it is not any more: receivers hear of them now. */
  unmuted(rule: AlertRule, now: number): Told[] {
    if (rule.mutedUntil > now) return [];
    return [...this.#active.values()].flatMap((notice) => {
      if (notice.rule !== rule.key || !notice.muted) return [];
      notice.muted = false;
      return [{ notice, phase: "fired" as const }];
    });
  }

  /** Ends what rules told of that are no more. */
  forgetOthers(rules: readonly AlertRule[], now: number): Told[] {
    const known = new Set(rules.map(({ key }) => key));
    const gone = new Set([...this.#active.values()].flatMap(({ rule }) => (known.has(rule) ? [] : rule)));
    return [...gone].flatMap((rule) => this.#end(rule, () => false, "rule-gone", now));
  }

  #broken(key: string, rule: AlertRule, subject: AlertSubject, breach: Breach, now: number): Told | undefined {
    this.#calm.delete(key);
    const notice = this.#active.get(key);
    if (notice) {
      notice.last = breach.value;
      if (breach.measure === notice.measure && isWorse(notice.measure, breach.value, notice.worst))
        notice.worst = breach.value;
      return undefined;
    }
    const since = this.#pending.get(key) ?? now;
    this.#pending.set(key, since);
    if (now - since < rule.forMs || this.#active.size >= maxActive) return undefined;
    this.#pending.delete(key);
    const fired: Notice = {
      ...{ id: randomUUID(), rule: rule.key, builtIn: rule.builtIn, severity: rule.severity, subject },
      ...{ measure: breach.measure, limit: breach.limit, value: breach.value, worst: breach.value, last: breach.value },
      ...{ since, firedAt: now, clearedAt: null, end: null, deliveries: [], muted: rule.mutedUntil > now },
    };
    this.#active.set(key, fired);
    return { notice: fired, phase: "fired" };
  }

  #holds(key: string, now: number): Told | undefined {
    this.#pending.delete(key);
    const notice = this.#active.get(key);
    if (!notice) return undefined;
    const since = this.#calm.get(key) ?? now;
    this.#calm.set(key, since);
    return now - since < calmMs ? undefined : this.#clear(key, notice, "recovered", now);
  }

  #end(rule: string, stays: (key: string) => boolean, end: AlertEnd, now: number): Told[] {
    for (const key of this.#pending.keys()) if (key.startsWith(`${rule}\n`) && !stays(key)) this.#pending.delete(key);
    return [...this.#active]
      .filter(([key, notice]) => notice.rule === rule && !stays(key))
      .map(([key, notice]) => this.#clear(key, notice, end, now));
  }

  #clear(key: string, notice: Notice, end: AlertEnd, now: number): Told {
    notice.clearedAt = now;
    notice.end = end;
    this.#active.delete(key);
    this.#calm.delete(key);
    this.#over.unshift(notice);
    this.#trim();
    return { notice, phase: "cleared" };
  }

  #trim(): void {
    this.#over = this.#over.toSorted((a, b) => (b.clearedAt ?? 0) - (a.clearedAt ?? 0)).slice(0, maxOver);
  }
}

const gravity = { Info: 0, Warning: 1, Critical: 2 } as const;

const keyOf = (rule: string, { kind, namespace, id }: AlertSubject): string => [rule, kind, namespace, id].join("\n");
