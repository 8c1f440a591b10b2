import { TypeUrl } from "../xds/types.ts";

/** More than that many refusals are of one cause, and the oldest are settled. */
const maxRemembered = 2000;

/**
 * What proxies have refused, by content: whoever is sent the very same again refuses it again. Kept while the control plane runs. Of an
 * Envoy this is all that is known beforehand; it has no way to be asked.
 */
export class RefusalMemory {
  readonly #details = new Map<string, string>();

  /** @param implementation as the proxy names itself; @param version of the content that was refused */
  note(implementation: string, typeUrl: string, name: string, version: string, detail: string): void {
    // Secrets are nobody's change.
    if (typeUrl === TypeUrl.secret) return;
    const key = keyOf(implementation, typeUrl, name, version);
    this.#details.delete(key);
    this.#details.set(key, detail);
    const [oldest] = this.#details.keys();
    if (this.#details.size > maxRemembered && oldest !== undefined) this.#details.delete(oldest);
  }

  /** What a proxy of this kind said of it; undefined: it has not refused it. */
  find(implementation: string, typeUrl: string, name: string, version: string): string | undefined {
    return this.#details.get(keyOf(implementation, typeUrl, name, version));
  }
}

const keyOf = (...parts: readonly string[]): string => parts.join("\n");
