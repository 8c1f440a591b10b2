import type { ConfigObject } from "../config/object.ts";
import type { Alerts, ProxyList, ServiceList } from "../contract/index.ts";
import type { AlertBook, Leadership } from "./book.ts";
import type { Courier, Message } from "./courier.ts";
import { judge } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { type AlertRule, rulesOf } from "./rules.ts";

export interface WatchSources {
  /** The AlertRules. */
  rules(): Promise<readonly ConfigObject[]>;
  services(windowSec: number): Promise<ServiceList>;
  proxies(): Promise<Pick<ProxyList, "proxies">>;
  /** The names of all receivers. */
  receivers(): Promise<string[]>;
  rootNamespace: string;
  /** Where notices are kept. */
  book: AlertBook;
  now(): number;
  onError(error: unknown): void;
}

/** Looks at the mesh by its alert rules, and keeps what people are told of. */
export class AlertWatch {
  readonly #sources: WatchSources;
  #ledger = new Ledger();
  #blindSince: number | null = null;
  #rules: AlertRule[] = [];

  constructor(sources: WatchSources) {
    this.#sources = sources;
  }

  /** What is kept, by whomever. A book that can't be read is no reason to tell of nothing. */
  async reload(): Promise<void> {
    try {
      this.#ledger = new Ledger(await this.#sources.book.notices());
      this.#blindSince = null;
    } catch (error) {
      this.isLost(error);
    }
  }

  alerts(): Alerts {
    const { active, over } = this.#ledger;
    return { now: this.#sources.now(), active, over: [...over], blindSince: this.#blindSince };
  }

  /** Nobody can say who leads: nothing is judged. */
  isLost(error: unknown): void {
    if (this.#blindSince === null) this.#sources.onError(error);
    this.#blindSince ??= this.#sources.now();
  }

  /** One look; whoever is to be told is, by the courier, once it is written down that they are. Never rejects. */
  async look(courier: Courier, leadership: Leadership): Promise<void> {
    const now = this.#sources.now();
    const rules = await this.#sources.rules().then(
      (objects) => rulesOf(objects, this.#sources.rootNamespace),
      () => undefined,
    );
    // Who can't be asked for rules is not without any.
    if (rules) this.#rules = rules;
    const windows = [...new Set(this.#rules.map(({ windowSec }) => windowSec))];
    const [proxies, ...lists] = await Promise.all([
      this.#sources.proxies().catch(() => undefined),
      ...windows.map((window) => this.#sources.services(window).catch(() => undefined)),
    ]);
    const isBlind = rules === undefined || proxies === undefined || lists.includes(undefined);
    this.#blindSince = isBlind ? (this.#blindSince ?? now) : null;
    const facts = {
      services: (window: number) => lists[windows.indexOf(window)]?.services,
      proxies: proxies?.proxies,
      now,
    };
    const told = [
      ...this.#rules.flatMap((rule) => [
        ...this.#ledger.unmuted(rule, now),
        ...this.#ledger.look(rule, judge(rule, facts), now),
      ]),
      ...(rules ? this.#ledger.forgetOthers(rules, now) : []),
    ];
    const everybody = await this.#sources.receivers().catch((error: unknown) => {
      this.#sources.onError(error);
      return [];
    });
    const messages = told.flatMap(({ notice, phase }): Message[] => {
      if (notice.muted) return [];
      // Of the end hears who heard of the beginning.
      const heard = notice.deliveries.filter(({ state }) => state !== "failed").map(({ receiver }) => receiver);
      const named = this.#rules.find(({ key }) => key === notice.rule)?.receivers;
      const asked = everybody.filter((name) => named === undefined || named.includes(name));
      return courier.note(notice, phase, phase === "cleared" ? heard : asked);
    });
    if (told.length > 0) await this.save(leadership);
    for (const message of messages) courier.send(message);
  }

  async save(leadership: Leadership): Promise<void> {
    try {
      await leadership.keep([...this.#ledger.active, ...this.#ledger.over]);
    } catch (error) {
      this.#sources.onError(error);
    }
  }
}
