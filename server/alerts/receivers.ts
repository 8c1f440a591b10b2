import type { AlertFailure, Notice, Receiver, ReceiverRequest } from "../contract/index.ts";
import type { AlertBook } from "./book.ts";

const maxReceivers = 50;

/** Whom to tell, and how it went the last time. */
export class Receivers {
  readonly #book: AlertBook;
  /** Tests and tries of this process; what others did is in the notices. */
  readonly #last = new Map<string, NonNullable<Receiver["last"]>>();

  constructor(book: AlertBook) {
    this.#book = book;
  }

  names = async (): Promise<string[]> => (await this.#book.receivers()).map(({ name }) => name);

  async find(name: string): Promise<ReceiverRequest | undefined> {
    return (await this.#book.receivers()).find((receiver) => receiver.name === name);
  }

  /** Without what is secret of them. `notices`: what they were told of. */
  async shown(notices: readonly Notice[]): Promise<Receiver[]> {
    return (await this.#book.receivers()).map(({ name, kind, url }) => ({
      ...{ name, kind, origin: new URL(url).origin },
      last: newest([this.#last.get(name), ...triesOf(name, notices)]),
    }));
  }

  /** False: there are as many as there may be. */
  put = (receiver: ReceiverRequest): Promise<boolean> => this.#book.putReceiver(receiver, maxReceivers);

  /** Whether there was one. */
  remove(name: string): Promise<boolean> {
    this.#last.delete(name);
    return this.#book.removeReceiver(name);
  }

  /** How it went to tell somebody. */
  told(name: string, at: number, why: AlertFailure | null): void {
    this.#last.set(name, { at, ok: why === null, why });
  }
}

type Last = NonNullable<Receiver["last"]>;

const triesOf = (name: string, notices: readonly Notice[]): Last[] =>
  notices.flatMap(({ deliveries }) =>
    deliveries
      .filter(({ receiver, at }) => receiver === name && at > 0)
      .map(({ at, state, why }) => ({ at, ok: state === "sent", why })),
  );

const newest = (all: readonly (Last | undefined)[]): Last | null =>
  all.reduce<Last | null>((last, one) => (one && (last === null || one.at > last.at) ? one : last), null);
