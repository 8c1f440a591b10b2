import type { Trace } from "../../server/contract/index.ts";

export interface OperationSide {
  count: number;
  errors: number;
  /** Of all its spans together, milliseconds. */
  totalMs: number;
}

export interface ComparedOperation {
  key: string;
  service: string;
  name: string;
  /** Null: it has none. */
  here: OperationSide | null;
  there: OperationSide | null;
  /** How much more time it took there, milliseconds. */
  moreMs: number;
}

/** Two traces by what was done in them; what differs most in time comes first. */
export function compareTraces(here: Trace, there: Trace): ComparedOperation[] {
  const [mine, theirs] = [operationsOf(here), operationsOf(there)];
  return [...new Set([...mine.keys(), ...theirs.keys()])]
    .map((key): ComparedOperation => {
      const [service = "", name = ""] = key.split("\n");
      const sides = { here: mine.get(key) ?? null, there: theirs.get(key) ?? null };
      return { key, service, name, ...sides, moreMs: (sides.there?.totalMs ?? 0) - (sides.here?.totalMs ?? 0) };
    })
    .toSorted((a, b) => Math.abs(b.moreMs) - Math.abs(a.moreMs) || a.key.localeCompare(b.key));
}

function operationsOf({ tree }: Trace): Map<string, OperationSide> {
  const found = new Map<string, OperationSide>();
  for (const { missing, service, name, error, durationUs } of tree) {
    if (missing) continue;
    const key = `${service}\n${name}`;
    const side = found.get(key) ?? { count: 0, errors: 0, totalMs: 0 };
    side.count += 1;
    side.errors += error ? 1 : 0;
    side.totalMs += durationUs / 1000;
    found.set(key, side);
  }
  return found;
}
