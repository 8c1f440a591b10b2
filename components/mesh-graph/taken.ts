import { overlap, type Rect, touchesDisc } from "./rect.ts";

interface Disc {
  x: number;
  y: number;
  r: number;
}

const cell = 80;
/** A rectangle of more cells than this is kept aside: the box of a large namespace would fill the grid. */
const mostCells = 64;

/** What already stands somewhere, looked up by place: rectangles by name, and discs. */
export class Taken {
  private readonly rects = new Map<string, { id: string; rect: Rect }[]>();
  private readonly large: { id: string; rect: Rect }[] = [];
  private readonly discs = new Map<string, Disc[]>();

  constructor(discs: readonly Disc[]) {
    for (const disc of discs) {
      const around = { x: disc.x - disc.r, y: disc.y - disc.r, width: 2 * disc.r, height: 2 * disc.r };
      for (const key of cellsOf(around)) push(this.discs, key, disc);
    }
  }

  add(id: string, rect: Rect): void {
    const keys = cellsOf(rect);
    if (keys.length > mostCells) this.large.push({ id, rect });
    else for (const key of keys) push(this.rects, key, { id, rect });
  }

  isFree(rect: Rect): boolean {
    if (this.large.some((other) => overlap(rect, other.rect))) return false;
    return cellsOf(rect).every(
      (key) =>
        !this.rects.get(key)?.some((other) => meets(rect, other.rect)) &&
        !this.discs.get(key)?.some((disc) => touchesDisc(rect, disc, 3)),
    );
  }

  /** Whose rectangles (or points) lie in this one. */
  idsIn(rect: Rect): Set<string> {
    const ids = new Set<string>();
    for (const key of cellsOf(rect)) {
      for (const other of this.rects.get(key) ?? []) if (meets(rect, other.rect)) ids.add(other.id);
    }
    return ids;
  }
}

/** A rectangle without a size is a point. */
const meets = (rect: Rect, other: Rect): boolean =>
  overlap(rect, other.width > 0 ? other : { ...other, width: 0.01, height: 0.01 });

function cellsOf({ x, y, width, height }: Rect): string[] {
  const keys: string[] = [];
  for (let column = Math.floor(x / cell); column <= Math.floor((x + width) / cell); column++) {
    for (let row = Math.floor(y / cell); row <= Math.floor((y + height) / cell); row++) keys.push(`${column}/${row}`);
  }
  return keys;
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
