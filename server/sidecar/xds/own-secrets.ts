import type { Secret } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { DataPlanePort } from "./resources.ts";

type Taker = Pick<DataPlanePort, "setSecret">;

/** Secrets that were made in this process: the control plane is not asked for them. */
export class OwnSecrets {
  readonly #secrets: Map<string, Secret>;
  /** Those that something refers to, and which it has. */
  #given = new Set<string>();

  constructor(secrets: readonly Secret[]) {
    this.#secrets = byName(secrets);
  }

  /** Gives the plane what is its own of those that it refers to. @returns the others */
  others(required: Iterable<string>, plane: Taker): string[] {
    const names = [...required];
    const own = new Set(names.filter((name) => this.#secrets.has(name)));
    this.#give(
      [...own].filter((name) => !this.#given.has(name)),
      plane,
    );
    this.#given = own;
    return names.filter((name) => !own.has(name));
  }

  /** Others take their place, for new connections. */
  replace(secrets: readonly Secret[], plane: Taker): void {
    for (const [name, secret] of byName(secrets)) this.#secrets.set(name, secret);
    this.#give([...this.#given], plane);
  }

  #give(names: readonly string[], plane: Taker): void {
    const errors = names.flatMap((name) => {
      const secret = this.#secrets.get(name);
      return secret === undefined ? [] : plane.setSecret(secret);
    });
    if (errors.length > 0) throw new Error(errors.join("; "));
  }
}

const byName = (secrets: readonly Secret[]): Map<string, Secret> =>
  new Map(secrets.map((secret) => [secret.name, secret]));
