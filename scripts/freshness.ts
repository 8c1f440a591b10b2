import { createHash, type Hash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Freshness {
  /** The inputs are as they were when what is made of them was last kept. */
  isFresh: boolean;
  /** Call it when it is made. The inputs count as they were looked at, so that what is edited meanwhile is made again. */
  keep(): void;
}

/** `inputs`: files and folders under `root`; `name`: of what is made of them. */
export function freshnessOf(root: string, name: string, inputs: readonly string[]): Freshness {
  const seen = digest(root, inputs);
  const stamp = join(root, ".build/fresh", name);
  return {
    isFresh: readStamp(stamp) === seen,
    keep() {
      mkdirSync(dirname(stamp), { recursive: true });
      writeFileSync(stamp, seen);
    },
  };
}

function readStamp(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

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
