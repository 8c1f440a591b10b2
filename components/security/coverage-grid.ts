import type { CoveredCall, Reach } from "../../server/contract/index.ts";

export interface CoverageGrid {
  callers: string[];
  called: string[];
  cell(caller: string, called: string): GridCell | undefined;
}

/** A call that was seen, or what could be called and was not. */
export type GridCell = CoveredCall | { reach: Reach };

export const isSeen = (cell: GridCell | undefined): cell is CoveredCall => cell !== undefined && "calls" in cell;

interface Covered {
  calls: readonly CoveredCall[];
  idle: readonly { caller: string; called: string; reach: Reach }[];
}

/** Who calls and who is called, those with most calls first, so that the busy corner is where one begins to read. */
export function gridOf({ calls, idle }: Covered): CoverageGrid {
  const cells = new Map<string, GridCell>();
  const keyOf = (caller: string, called: string) => `${caller}>${called}`;
  for (const { caller, called, reach } of idle) cells.set(keyOf(caller, called), { reach });
  for (const call of calls) cells.set(keyOf(call.caller, call.called), call);
  return {
    callers: byCalls([...calls, ...idle], ({ caller }) => caller),
    called: byCalls([...calls, ...idle], ({ called }) => called),
    cell: (caller, called) => cells.get(keyOf(caller, called)),
  };
}

interface Pair {
  caller: string;
  called: string;
  calls?: number;
}

function byCalls(pairs: readonly Pair[], side: (pair: Pair) => string): string[] {
  const sums = new Map<string, number>();
  for (const pair of pairs) sums.set(side(pair), (sums.get(side(pair)) ?? 0) + (pair.calls ?? 0));
  return [...sums].toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([name]) => name);
}

export type CellState = "refused" | "plain" | "outside" | "mutual";

/** What of a call wants a look most. */
export function cellState({
  refused,
  mutual,
  calls,
  gateway,
}: Pick<CoveredCall, "refused" | "mutual" | "calls" | "gateway">): CellState {
  if (refused > 0) return "refused";
  if (mutual === calls) return "mutual";
  return gateway ? "outside" : "plain";
}

export const cellMarks = { mutual: "healthy", plain: "degraded", outside: "idle", refused: "failing" } as const;
