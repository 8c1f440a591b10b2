import { diffArrays } from "diff";

/** A part of two texts that were both made of a third. */
export type Chunk =
  | { kind: "same" | "mine" | "theirs" | "both"; lines: string[] }
  /** Both have changed it, each in another way. `line` counts from one, in the text that both were made of. */
  | { kind: "conflict"; base: string[]; mine: string[]; theirs: string[]; line: number };

export type Choice = "mine" | "theirs" | "base";

interface Hunk {
  /** Lines of the base that are replaced: `from` and up to `to`. */
  from: number;
  to: number;
  lines: string[];
}

/** What each side changed, line by line. Changes that touch each other are one, and a conflict unless they are alike. */
export function mergeThree(base: string, mine: string, theirs: string): Chunk[] {
  const lines = base.split("\n");
  const [own, other] = [hunksOf(lines, mine.split("\n")), hunksOf(lines, theirs.split("\n"))];
  const chunks: Chunk[] = [];
  let at = 0;
  while (own.length + other.length > 0) {
    const region = nextRegion(own, other);
    if (region.from > at) chunks.push({ kind: "same", lines: lines.slice(at, region.from) });
    chunks.push(chunkOf(lines, region));
    at = region.to;
  }
  if (at < lines.length) chunks.push({ kind: "same", lines: lines.slice(at) });
  return chunks;
}

function hunksOf(base: string[], changed: string[]): Hunk[] {
  const hunks: Hunk[] = [];
  let at = 0;
  let open: Hunk | null = null;
  for (const { value, added, removed } of diffArrays(base, changed)) {
    if (!added && !removed) {
      open = null;
      at += value.length;
      continue;
    }
    if (!open) {
      open = { from: at, to: at, lines: [] };
      hunks.push(open);
    }
    if (added) open.lines.push(...value);
    else {
      at += value.length;
      open.to = at;
    }
  }
  return hunks;
}

interface Region {
  from: number;
  to: number;
  mine: Hunk[];
  theirs: Hunk[];
}

/** Takes the first hunk of either side, and all that it and its neighbours touch. */
function nextRegion(own: Hunk[], other: Hunk[]): Region {
  const from = Math.min(own[0]?.from ?? Infinity, other[0]?.from ?? Infinity);
  const region: Region = { from, to: from, mine: [], theirs: [] };
  for (let grew = true; grew; ) {
    grew = false;
    for (const [hunks, taken] of [
      [own, region.mine],
      [other, region.theirs],
    ] as const) {
      const [next] = hunks;
      if (!next || next.from > region.to) continue;
      region.to = Math.max(region.to, next.to);
      taken.push(next);
      hunks.shift();
      grew = true;
    }
  }
  return region;
}

function chunkOf(base: readonly string[], { from, to, mine, theirs }: Region): Chunk {
  const [left, right] = [applied(base, from, to, mine), applied(base, from, to, theirs)];
  if (theirs.length === 0) return { kind: "mine", lines: left };
  if (mine.length === 0) return { kind: "theirs", lines: right };
  if (left.join("\n") === right.join("\n") && left.length === right.length) return { kind: "both", lines: left };
  return { kind: "conflict", base: base.slice(from, to), mine: left, theirs: right, line: from + 1 };
}

function applied(base: readonly string[], from: number, to: number, hunks: readonly Hunk[]): string[] {
  const lines: string[] = [];
  let at = from;
  for (const hunk of hunks) {
    lines.push(...base.slice(at, hunk.from), ...hunk.lines);
    at = hunk.to;
  }
  return [...lines, ...base.slice(at, to)];
}

/** The text with a choice for each conflict, in order; mine where there is none yet. */
export function mergedText(chunks: readonly Chunk[], choices: readonly (Choice | null)[]): string {
  let conflict = 0;
  return chunks
    .flatMap((chunk) => (chunk.kind === "conflict" ? chunk[choices[conflict++] ?? "mine"] : chunk.lines))
    .join("\n");
}

export const conflictsOf = (chunks: readonly Chunk[]): Extract<Chunk, { kind: "conflict" }>[] =>
  chunks.filter((chunk) => chunk.kind === "conflict");
