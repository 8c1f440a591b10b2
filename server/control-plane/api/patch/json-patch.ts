import { isRecord } from "../body.ts";
import { StatusError } from "../status-error.ts";
import { Work } from "./work.ts";

export interface JsonPatchLimits {
  operations: number;
  /** Bytes that `copy` may add, of all operations together. */
  copiedBytes: number;
  /** Levels of the document. */
  depth: number;
}

/** The API server's own: https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go */
export const defaultJsonPatchLimits: JsonPatchLimits = { operations: 10_000, copiedBytes: 3 * 1024 * 1024, depth: 64 };

/**
 * RFC 6902. The target is not changed; the result shares what the patch leaves alone. Throws 400 for what is no patch, 413 past the limits,
 * and 422 for an operation that can't be applied, which its index names.
 */
export function applyJsonPatch(
  target: unknown,
  patch: unknown,
  limits: JsonPatchLimits = defaultJsonPatchLimits,
  work = new Work(),
): unknown {
  if (!Array.isArray(patch)) throw new StatusError(400, "BadRequest", "a JSON patch is a list of operations");
  if (patch.length > limits.operations) {
    const text = `The allowed maximum operations in a JSON patch is ${limits.operations}, got ${patch.length}`;
    throw new StatusError(413, "RequestEntityTooLarge", text);
  }
  const patching = new Patching(target, limits, work);
  for (const [index, operation] of patch.entries()) patching.apply(index, operation);
  return patching.document;
}

class Patching {
  readonly #limits: JsonPatchLimits;
  readonly #work: Work;
  /** Containers that are copies of this patch's own, and so may be written into. */
  readonly #own = new Set<object>();
  #copied = 0;
  #index = 0;
  document: unknown;

  constructor(document: unknown, limits: JsonPatchLimits, work: Work) {
    this.document = document;
    this.#limits = limits;
    this.#work = work;
  }

  apply(index: number, operation: unknown): void {
    this.#index = index;
    if (!isRecord(operation)) throw this.#bad("is no object");
    const { op, value } = operation;
    const path = this.#pointer(operation.path, "path");
    if (["add", "replace", "test"].includes(String(op)) && value === undefined) throw this.#bad(`${op} needs a value`);
    if (op === "add" || op === "replace") this.#put(path, value, op);
    else if (op === "remove") this.#remove(path);
    else if (op === "copy") this.#copy(this.#pointer(operation.from, "from"), path);
    else if (op === "move") this.#move(this.#pointer(operation.from, "from"), path);
    else if (op !== "test") throw this.#bad(`has the unknown op ${JSON.stringify(op) ?? "undefined"}`);
    else if (!this.#equal(this.#get(path), value)) throw this.#bad(`test of ${show(path)} failed`);
  }

  #copy(from: readonly string[], path: readonly string[]): void {
    const value = this.#get(from);
    this.#copied += this.#bytesOf(value);
    if (this.#copied > this.#limits.copiedBytes) {
      const text = `Unable to complete the copy, the accumulated size increase of copy is ${this.#copied}, exceeding the limit ${this.#limits.copiedBytes}`;
      throw new StatusError(413, "RequestEntityTooLarge", text);
    }
    this.#disown(value); // both places share it now: whoever writes there copies first
    this.#put(path, value, "add");
  }

  #move(from: readonly string[], path: readonly string[]): void {
    if (path.length > from.length && from.every((name, index) => name === path[index])) {
      throw this.#bad(`can't move ${show(from)} into itself`);
    }
    const value = this.#get(from);
    if (from.length === path.length && from.every((name, index) => name === path[index])) return;
    this.#remove(from);
    this.#put(path, value, "add");
  }

  #get(path: readonly string[]): unknown {
    let value = this.document;
    for (const [depth, name] of path.entries()) {
      const next = Array.isArray(value) ? value[this.#listIndex(name, value.length - 1)] : fieldOf(value, name);
      if (next === undefined) throw this.#bad(`there is nothing at ${show(path.slice(0, depth + 1))}`);
      value = next;
    }
    return value;
  }

  #put(path: readonly string[], value: unknown, op: "add" | "replace"): void {
    if (path.length + this.#depthOf(value) > this.#limits.depth) {
      throw this.#bad(`makes the object deeper than ${this.#limits.depth} levels`);
    }
    const name = path.at(-1);
    if (name === undefined) {
      this.document = value;
      return;
    }
    if (name === "__proto__") throw this.#bad("the key __proto__ is not allowed");
    const parent = this.#writable(path.slice(0, -1));
    if (Array.isArray(parent)) {
      const last = op === "add" ? parent.length : parent.length - 1;
      const at = name === "-" && op === "add" ? parent.length : this.#listIndex(name, last);
      if (op === "replace") parent[at] = value;
      else {
        this.#work.spend(1 + (parent.length - at) / 64);
        parent.splice(at, 0, value);
      }
      return;
    }
    if (op === "replace" && fieldOf(parent, name) === undefined) throw this.#bad(`there is nothing at ${show(path)}`);
    parent[name] = value;
  }

  #remove(path: readonly string[]): void {
    this.#get(path);
    const name = path.at(-1);
    if (name === undefined) throw this.#bad("can't remove the whole object");
    const parent = this.#writable(path.slice(0, -1));
    if (Array.isArray(parent)) {
      const at = this.#listIndex(name, parent.length - 1);
      this.#work.spend(1 + (parent.length - at) / 64);
      parent.splice(at, 1);
    } else delete parent[name];
  }

  /** The container at a path, as a copy of this patch's own, like all that it stands in. */
  #writable(path: readonly string[]): unknown[] | Record<string, unknown> {
    this.#get(path);
    this.document = this.#ownCopy(this.document);
    let container = this.document as unknown[] | Record<string, unknown>;
    for (const name of path) {
      const key = name as keyof typeof container;
      const inner = this.#ownCopy(container[key]);
      (container as Record<string, unknown>)[name] = inner;
      container = inner as unknown[] | Record<string, unknown>;
    }
    if (typeof container !== "object" || container === null) throw this.#bad(`${show(path)} holds nothing`);
    return container;
  }

  #ownCopy(value: unknown): unknown {
    if (typeof value !== "object" || value === null || this.#own.has(value)) return value;
    const copy = Array.isArray(value) ? [...value] : { ...value };
    this.#work.spend(1 + (Array.isArray(copy) ? copy.length / 64 : Object.keys(copy).length));
    this.#own.add(copy);
    return copy;
  }

  #disown(value: unknown): void {
    this.#walk(value, (one) => this.#own.delete(one));
  }

  #depthOf(value: unknown): number {
    let deepest = 0;
    this.#walk(value, (_, depth) => {
      deepest = Math.max(deepest, depth);
    });
    return deepest;
  }

  /** Every container of a value, with its level from one on. */
  #walk(value: unknown, visit: (container: object, depth: number) => void): void {
    const waiting: [unknown, number][] = [[value, 1]];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [one, depth] = next;
      if (typeof one !== "object" || one === null) continue;
      visit(one, depth);
      const inner = Object.values(one);
      this.#work.spend(1 + inner.length);
      for (const child of inner) if (typeof child === "object") waiting.push([child, depth + 1]);
    }
  }

  #bytesOf(value: unknown): number {
    const text = JSON.stringify(value) ?? "";
    this.#work.spend(text.length / 64);
    return Buffer.byteLength(text);
  }

  /** Ends at the first difference; each container that is looked into costs its keys. */
  #equal(left: unknown, right: unknown): boolean {
    if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return left === right;
    if (Array.isArray(left) || Array.isArray(right)) {
      if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
      this.#work.spend(1 + left.length);
      return left.every((item, index) => this.#equal(item, right[index]));
    }
    const [names, others] = [Object.keys(left), Object.keys(right)];
    this.#work.spend(1 + names.length + others.length);
    if (names.length !== others.length) return false;
    const [ours, theirs] = [left as Record<string, unknown>, right as Record<string, unknown>];
    return names.every((name) => this.#equal(ours[name], theirs[name])); // no value of JSON is undefined
  }

  #listIndex(name: string, last: number): number {
    if (!/^(0|[1-9]\d{0,9})$/.test(name)) throw this.#bad(`${JSON.stringify(name)} is no index of a list`);
    if (Number(name) > last) throw this.#bad(`the list has no index ${name}`);
    return Number(name);
  }

  /** RFC 6901: names between slashes, with ~1 for a slash and ~0 for a tilde. */
  #pointer(text: unknown, field: string): string[] {
    if (typeof text !== "string" || (text !== "" && !text.startsWith("/")))
      throw this.#bad(`needs a JSON pointer as ${field}`);
    if (text === "") return [];
    const names = text.slice(1).split("/");
    if (names.length > this.#limits.depth) throw this.#bad(`${field} is deeper than ${this.#limits.depth} levels`);
    return names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  }

  #bad(why: string): StatusError {
    const text = `the server rejected our request due to an error in our request: operation ${this.#index}: ${why}`;
    return new StatusError(422, "Invalid", text);
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const show = (path: readonly string[]): string => {
  const text = path.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
};
