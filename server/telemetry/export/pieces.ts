/** The bytes of an export request, and how many spans, points or records are in it. Pieces laid one behind another are one request. */
export interface Piece {
  bytes: Uint8Array;
  count: number;
}

export interface Cutting<Part> {
  encode(part: Part): Uint8Array;
  count(part: Part): number;
  /** Undefined where there is nothing to divide. */
  halve(part: Part): Halves<Part> | undefined;
}

type Halves<T> = readonly [T, T];

/** All of `part`, in pieces of `maxBytes` at the most, unless one span, metric or record alone has more. */
export function piecesOf<Part>(part: Part, cutting: Cutting<Part>, maxBytes: number): Piece[] {
  const bytes = cutting.encode(part);
  const halves = bytes.byteLength > maxBytes ? cutting.halve(part) : undefined;
  return halves === undefined
    ? [{ bytes, count: cutting.count(part) }]
    : halves.flatMap((half) => piecesOf(half, cutting, maxBytes));
}

/** Of several, some each; of one, what `inside` makes of it. */
export function halvesOf<T>(
  all: readonly T[],
  inside: (only: T) => Halves<T> | undefined = () => undefined,
): Halves<T[]> | undefined {
  const [only] = all;
  if (only === undefined) return undefined;
  if (all.length === 1) {
    const halves = inside(only);
    return halves && [[halves[0]], [halves[1]]];
  }
  const middle = all.length >> 1;
  return [all.slice(0, middle), all.slice(middle)];
}

/** Each half with what is around it. */
export const wrapped = <T, W>(halves: Halves<T> | undefined, wrap: (half: T) => W): Halves<W> | undefined =>
  halves && [wrap(halves[0]), wrap(halves[1])];
