import type { Bootstrap } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import type { TypeUrl } from "../../xds/types.ts";

/** A version of a resource, and when it came. */
interface HeldVersion {
  version: string;
  /** The message's binary form. */
  value: Uint8Array;
  updatedMs: number;
}

/** What the proxy knows of one resource: what is in force, and the newer version that it refused, if the last one was. */
export interface HeldResource {
  active?: HeldVersion;
  refused?: HeldVersion & { details: string };
}

/** Bookkeeping for the config dump: what was accepted and refused of each type, with versions and times. Holds bytes, decoded when shown. */
export class ConfigState {
  readonly bootstrap: Bootstrap;
  readonly startedMs: number;
  readonly #types = new Map<TypeUrl, Map<string, HeldResource>>();
  readonly #expected = new Map<TypeUrl, readonly string[]>();
  readonly #now: () => number;

  constructor(bootstrap: Bootstrap, now: () => number) {
    this.bootstrap = bootstrap;
    this.#now = now;
    this.startedMs = now();
  }

  of(typeUrl: TypeUrl): ReadonlyMap<string, HeldResource> {
    return this.#of(typeUrl);
  }

  /** What is asked for by name. */
  expect(typeUrl: TypeUrl, names: Iterable<string>): void {
    this.#expected.set(typeUrl, [...names]);
  }

  /** Of what is asked for, that which has not come. */
  awaited(typeUrl: TypeUrl): string[] {
    const held = this.of(typeUrl);
    return (this.#expected.get(typeUrl) ?? []).filter((name) => held.get(name)?.active === undefined);
  }

  accepted(typeUrl: TypeUrl, name: string, version: string, value: Uint8Array): void {
    this.#of(typeUrl).set(name, { active: { version, value, updatedMs: this.#now() } });
  }

  /** The version in force before stays in force. */
  refused(typeUrl: TypeUrl, name: string, version: string, value: Uint8Array, details: string): void {
    const refused = { version, value, details, updatedMs: this.#now() };
    this.#of(typeUrl).set(name, { ...this.#of(typeUrl).get(name), refused });
  }

  removed(typeUrl: TypeUrl, name: string): void {
    this.#of(typeUrl).delete(name);
  }

  #of(typeUrl: TypeUrl): Map<string, HeldResource> {
    let held = this.#types.get(typeUrl);
    if (held === undefined) {
      held = new Map();
      this.#types.set(typeUrl, held);
    }
    return held;
  }
}
