import { z } from "zod";
import type { Receiver, ReceiverRequest } from "../contract/index.ts";
import { ReceiverRequest as Stored } from "../contract/index.ts";
import { type JsonFile, jsonFile } from "../lib/json-file.ts";

const File = z.object({ receivers: z.array(Stored) });
const maxReceivers = 50;

/** Whom to tell, in a file that its owner alone may read: a webhook's address is a key. */
export class Receivers {
  readonly #file: JsonFile;
  readonly #last = new Map<string, Receiver["last"]>();

  constructor(path: string) {
    this.#file = jsonFile(path);
  }

  /** Throws an Error that names a file that can't be read. */
  all(): ReceiverRequest[] {
    return File.parse(this.#file.read() ?? { receivers: [] }).receivers;
  }

  shown(): Receiver[] {
    return this.all().map(({ name, kind, url }) => ({
      ...{ name, kind, origin: new URL(url).origin },
      last: this.#last.get(name) ?? null,
    }));
  }

  /** False: there are as many as there may be. */
  put(receiver: ReceiverRequest): boolean {
    const others = this.all().filter(({ name }) => name !== receiver.name);
    if (others.length >= maxReceivers) return false;
    this.#file.write({ receivers: [...others, receiver].sort((a, b) => (a.name < b.name ? -1 : 1)) });
    return true;
  }

  /** Whether there was one. */
  remove(name: string): boolean {
    const all = this.all();
    const others = all.filter((receiver) => receiver.name !== name);
    if (others.length === all.length) return false;
    this.#file.write({ receivers: others });
    this.#last.delete(name);
    return true;
  }

  /** How it went to tell somebody. */
  told(name: string, at: number, why: string | null): void {
    this.#last.set(name, { at, ok: why === null, why });
  }
}
