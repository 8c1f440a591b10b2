import type { Attributes } from "../../telemetry/attributes.ts";

/** Of a trace, in bytes: what has more tags than this is looked at whole. */
export const maxTermBytes = 4096;
const bytesPerTerm = 4;

/** Tags as small numbers, by which a search tells most traces that lack a tag from those that may have it. */
export class TermSet {
  readonly #terms = new Set<number>();

  add(attributes: Attributes): void {
    for (const key in attributes) this.#terms.add(termOf(key, String(attributes[key])));
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(Math.min(maxTermBytes, this.#terms.size * bytesPerTerm));
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const term of this.#terms) {
      if (at >= bytes.length) break;
      view.setUint32(at, term);
      at += bytesPerTerm;
    }
    return bytes;
  }
}

export function encodedTerm(key: string, value: string): Uint8Array {
  const bytes = new Uint8Array(bytesPerTerm);
  new DataView(bytes.buffer).setUint32(0, termOf(key, value));
  return bytes;
}

/** FNV-1a over the UTF-16 units. http://www.isthe.com/chongo/tech/comp/fnv/ */
function termOf(key: string, value: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 0x3d, 0x01000193);
  for (let i = 0; i < value.length; i++) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
