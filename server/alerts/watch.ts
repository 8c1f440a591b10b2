import { z } from "zod";
import type { ConfigObject } from "../config/object.ts";
import { type Alerts, Notice, type ProxyList, type ServiceList } from "../contract/index.ts";
import { jsonFile } from "../lib/json-file.ts";
import type { Courier } from "./courier.ts";
import { judge } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { type AlertRule, rulesOf } from "./rules.ts";

const File = z.object({ notices: z.array(Notice) });

export interface WatchSources {
  /** The AlertRules. */
  rules(): Promise<readonly ConfigObject[]>;
  services(windowSec: number): Promise<ServiceList>;
  proxies(): Promise<Pick<ProxyList, "proxies">>;
  rootNamespace: string;
  /** Where notices are kept. */
  path: string;
  now(): number;
  onError(error: unknown): void;
}

/** Looks at the mesh by its alert rules, and keeps what people are told of. */
export class AlertWatch {
  readonly #sources: WatchSources;
  readonly #file;
  #ledger: Ledger;
  #blindSince: number | null = null;
  #rules: AlertRule[] = [];

  constructor(sources: WatchSources) {
    this.#sources = sources;
    this.#file = jsonFile(sources.path);
    this.#ledger = new Ledger(this.#read());
  }

  /** What somebody else has written who looks at the same mesh. */
  reload(): void {
    this.#ledger = new Ledger(this.#read());
  }

  alerts(): Alerts {
    const { active, over } = this.#ledger;
    return { now: this.#sources.now(), active, over: [...over], blindSince: this.#blindSince };
  }

  /** One look; whoever is to be told is, by the courier. Never rejects. */
  async look(courier: Courier): Promise<void> {
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
    for (const { notice, phase } of told) {
      const rule = this.#rules.find(({ key }) => key === notice.rule);
      // Of the end hears who heard of the beginning.
      const heard = notice.deliveries.map(({ receiver }) => receiver);
      if (!notice.muted) courier.tell(notice, phase, phase === "cleared" ? heard : rule?.receivers);
    }
    if (told.length > 0) this.save();
  }

  save(): void {
    try {
      this.#file.write({ notices: [...this.#ledger.active, ...this.#ledger.over] });
    } catch (error) {
      this.#sources.onError(error);
    }
  }

  /** A file that can't be read is no reason to tell of nothing. */
  #read(): readonly Notice[] {
    try {
      return File.parse(this.#file.read() ?? { notices: [] }).notices;
    } catch (error) {
      this.#sources.onError(error);
      return [];
    }
  }
}
