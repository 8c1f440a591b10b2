import { isAlias, isMap, isPair, isScalar, isSeq, type Node, type Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import type { YamlProblem } from "./read-yaml.ts";

/** How many values an anchor stands for, beside the value itself: what an alias of it costs without being copied. */
interface Anchored {
  value: unknown;
  size: number;
}

/**
 * The nodes of a document as plain data. `yaml`'s own conversion compares each key with all others, and looks each alias up from the
 * document's beginning: both quadratic. `spend` is called for every value, also those that an alias repeats.
 */
export function toPlain(contents: Node | null, text: string, problems: YamlProblem[], spend: () => void): unknown {
  return new Conversion(text, problems, spend).convert(contents);
}

class Conversion {
  readonly #text: string;
  readonly #problems: YamlProblem[];
  readonly #spend: () => void;
  readonly #anchors = new Map<string, Anchored | "open">();
  #size = 0;

  constructor(text: string, problems: YamlProblem[], spend: () => void) {
    this.#text = text;
    this.#problems = problems;
    this.#spend = spend;
  }

  convert(node: unknown): unknown {
    this.#count();
    if (isAlias(node)) return this.#follow(node.source, offsetOf(node));
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return null;
    const { anchor } = node;
    const before = this.#size;
    if (anchor) this.#anchors.set(anchor, "open");
    const value = isMap(node) ? this.#map(node) : isSeq(node) ? this.#list(node) : node.value;
    if (anchor) this.#anchors.set(anchor, { value, size: this.#size - before + 1 });
    return value;
  }

  #count(values = 1): void {
    this.#size += values;
    for (let index = 0; index < values; index++) this.#spend();
  }

  #follow(source: string, offset: number): unknown {
    const known = this.#anchors.get(source);
    if (known === undefined || known === "open") {
      const why = known === "open" ? "stands within what it stands for" : "has no anchor before it";
      this.#problems.push({ message: `the alias *${source} ${why}`, offset });
      return null;
    }
    this.#count(known.size);
    return known.value;
  }

  #list(node: YAMLSeq): unknown[] {
    return node.items.map((item) => {
      const text = node.flow ? this.#colonText(item) : undefined;
      if (text === undefined) return this.convert(item);
      this.#count();
      return text;
    });
  }

  /**
   * `[2001:db8::]`: by YAML 1.2 the last colon makes a map of it, with a key and nothing else. YAML as Kubernetes' tools read it takes the
   * whole for text, and nobody who writes it means a map.
   */
  #colonText(item: unknown): string | undefined {
    if (!isMap(item) || !item.flow || item.items.length !== 1) return undefined;
    const [pair] = item.items;
    const key = pair?.key;
    if (!isScalar(key) || key.type !== "PLAIN" || key.range == null) return undefined;
    const [start, end] = key.range;
    const isLone =
      /^:\s*[,\]]/.test(this.#text.slice(end, end + 200)) && !/[{,[]\s*$/.test(this.#text.slice(end - 1, end));
    const isBare = item.range != null && item.range[0] === start && !this.#text.slice(start - 1, start).includes("{");
    return isLone && isBare && isEmptyValue(pair?.value) ? `${this.#text.slice(start, end)}:` : undefined;
  }

  #map(node: YAMLMap): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const own = new Set<string>();
    for (const pair of node.items) {
      if (!isPair(pair)) continue;
      if (isMergeKey(pair.key)) {
        this.#merge(result, own, pair.value);
        continue;
      }
      const key = this.#key(pair.key, offsetOf(node));
      if (key === undefined) continue;
      if (own.has(key)) {
        const message = `Map keys must be unique; ${JSON.stringify(key)} is there twice`;
        this.#problems.push({ message, offset: offsetOf(pair.key) });
        continue;
      }
      own.add(key);
      result[key] = this.convert(pair.value);
    }
    return result;
  }

  #key(node: unknown, offset: number): string | undefined {
    const key = isAlias(node) ? this.#follow(node.source, offsetOf(node)) : isScalar(node) ? node.value : node;
    if (isScalar(node) && node.anchor) this.#anchors.set(node.anchor, { value: key, size: 1 });
    if (typeof key === "object" && key !== null) {
      this.#problems.push({ message: "a key must be a scalar", offset: offsetOf(node) || offset });
      return undefined;
    }
    const name = key === null || key === undefined ? "" : String(key);
    if (name !== "__proto__") return name;
    this.#problems.push({ message: "the key __proto__ is not allowed", offset: offsetOf(node) || offset });
    return undefined;
  }

  /** Keys of the merged maps that the map itself doesn't have; of several maps the first one counts. https://yaml.org/type/merge.html */
  #merge(result: Record<string, unknown>, own: ReadonlySet<string>, source: unknown): void {
    const value = this.convert(source);
    for (const map of Array.isArray(value) ? value : [value]) {
      if (typeof map !== "object" || map === null || Array.isArray(map)) {
        this.#problems.push({ message: "merge keys (<<) need a map, or a list of maps", offset: offsetOf(source) });
        return;
      }
      for (const [key, inner] of Object.entries(map)) {
        if (own.has(key) || Object.hasOwn(result, key)) continue;
        this.#count();
        result[key] = inner;
      }
    }
  }
}

const isMergeKey = (key: unknown): boolean => isScalar(key) && key.value === "<<" && key.type === "PLAIN";

const isEmptyValue = (value: unknown): boolean =>
  value === null || value === undefined || (isScalar(value) && value.value === null && !(value as Scalar).source);

const offsetOf = (node: unknown): number => (node as Node | undefined)?.range?.[0] ?? 0;
