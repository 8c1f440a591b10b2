import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../lib/clock.ts";
import type { JsonFile } from "../../lib/json-file.ts";

/** Who may join with a token: it is good once, and until its end. */
export interface JoinToken {
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Unix milliseconds. */
  readonly expiresMs: number;
}

const stored = z.array(
  z.object({
    id: z.string(),
    namespace: z.string(),
    serviceAccount: z.string(),
    expiresMs: z.number(),
    /** SHA-256 of the token in hexadecimal: the token itself is kept nowhere. */
    hash: z.string(),
  }),
);
type Stored = z.output<typeof stored>[number];

const maxTokens = 1_000;

/** Tokens by which a workload without a certificate gets its first one. */
export class JoinTokens {
  readonly #clock: Clock;
  readonly #file: JsonFile | undefined;
  #tokens: Stored[];

  /** @param file where they are kept over a restart; unset: nowhere */
  constructor(clock: Clock, file?: JsonFile) {
    this.#clock = clock;
    this.#file = file;
    this.#tokens = stored.catch([]).parse(file?.read() ?? []);
  }

  /** The token is told here and never again. Throws an Error when there are too many. */
  create({ namespace, serviceAccount, ttlSec }: { namespace: string; serviceAccount: string; ttlSec: number }): {
    token: string;
    about: JoinToken;
  } {
    this.#tokens = this.#live();
    if (this.#tokens.length >= maxTokens)
      throw new Error(`there are ${maxTokens} join tokens that nobody used: take some back first`);
    const id = randomBytes(4).toString("hex");
    const token = `limpid-join-${id}.${randomBytes(32).toString("base64url")}`;
    const about = { id, namespace, serviceAccount, expiresMs: this.#clock.now() + ttlSec * 1000 };
    this.#keep([...this.#tokens, { ...about, hash: hashOf(token) }]);
    return { token, about };
  }

  /** Who joins with it; undefined: it is none, was used, or ended. It can't be used again. */
  use(token: string): JoinToken | undefined {
    // Behind a second dot stands by which root the mesh is known, which is for whoever joins.
    const own = token.split(".").slice(0, 2).join(".");
    const hash = Buffer.from(hashOf(own), "hex");
    const found = this.#live().find((it) => timingSafeEqual(Buffer.from(it.hash, "hex"), hash));
    if (found === undefined) return undefined;
    this.#keep(this.#tokens.filter((it) => it !== found));
    return aboutOf(found);
  }

  list(): JoinToken[] {
    return this.#live().map(aboutOf);
  }

  /** False: there is none of this id. */
  revoke(id: string): boolean {
    const left = this.#tokens.filter((it) => it.id !== id);
    const isThere = left.length < this.#tokens.length;
    if (isThere) this.#keep(left);
    return isThere;
  }

  #live(): Stored[] {
    return this.#tokens.filter(({ expiresMs }) => expiresMs > this.#clock.now());
  }

  /** First on the disk: a token that was used must not come back with a restart. */
  #keep(tokens: Stored[]): void {
    this.#file?.write(tokens);
    this.#tokens = tokens;
  }
}

const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");

const aboutOf = ({ hash: _, ...about }: Stored): JoinToken => about;
