import { createHash, type Hash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** True when `inputs` (files and folders under `root`) are as they were at the last `markFresh` of this name. */
export function isFresh(root: string, name: string, inputs: readonly string[]): boolean {
  try {
    return readFileSync(stampOf(root, name), "utf8") === digest(root, inputs);
  } catch {
    return false;
  }
}

export function markFresh(root: string, name: string, inputs: readonly string[]): void {
  mkdirSync(join(root, ".build/fresh"), { recursive: true });
  writeFileSync(stampOf(root, name), digest(root, inputs));
}

const stampOf = (root: string, name: string): string => join(root, ".build/fresh", name);

function digest(root: string, inputs: readonly string[]): string {
  const hash = createHash("sha256");
  for (const input of inputs) add(hash, root, input);
  return hash.digest("hex");
}

/** Content, not time: a fresh clone and a touched file must not differ. Generated code is covered by the stamps of its inputs. */
function add(hash: Hash, root: string, path: string): void {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined || path === "server/gen" || path.endsWith(".test.ts")) return;
  if (stat.isDirectory()) {
    for (const entry of readdirSync(join(root, path)).sort()) add(hash, root, join(path, entry));
    return;
  }
  hash.update(path).update(readFileSync(join(root, path)));
}
