import type { ViewKind } from "./graph-view-kinds.ts";
import type { Direction, Point } from "./layout.ts";
import type { Positions } from "./positions.ts";

const key = "limpid.places";
/** Of one view; the oldest give way. */
const keptAtMost = 2000;

type Places = Record<string, Point>;
type Kept = Pick<Storage, "getItem" | "setItem">;

/** Of what: a node's id means another thing in each view, and a phone's graph goes another way. */
export interface PlacesOf {
  kind: ViewKind;
  direction: Direction;
}

const nameOf = ({ kind, direction }: PlacesOf): string => (direction === "right" ? kind : `${kind}:${direction}`);

/** What was dragged where, by view and node. A storage that refuses (private mode) only means that it is not remembered. */
function readAll(storage: Kept): Record<string, Places> {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? "{}");
    return isRecord(value) ? (value as Record<string, Places>) : {};
  } catch {
    return {};
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is no place is left out: a storage may hold anything. */
export function placesOf(storage: Kept, of: PlacesOf): Places {
  const kept: unknown = readAll(storage)[nameOf(of)];
  if (!isRecord(kept)) return {};
  return Object.fromEntries(Object.entries(kept).filter((entry): entry is [string, Point] => isPoint(entry[1])));
}

const isPoint = (value: unknown): value is Point =>
  isRecord(value) && Number.isFinite(value.x) && Number.isFinite(value.y);

/** In the place of all that was remembered of this view. */
export function keepPlaces(storage: Kept, of: PlacesOf, places: Places): void {
  const { [nameOf(of)]: _, ...others } = readAll(storage);
  const kept = Object.entries(places).slice(-keptAtMost);
  const all = kept.length > 0 ? { ...others, [nameOf(of)]: Object.fromEntries(kept) } : others;
  try {
    storage.setItem(key, JSON.stringify(all));
  } catch {}
}

export function rememberPlaces(storage: Kept, of: PlacesOf, moved: ReadonlyMap<string, Point>): void {
  const before = Object.entries(placesOf(storage, of)).filter(([id]) => !moved.has(id));
  keepPlaces(storage, of, Object.fromEntries([...before, ...moved]));
}

/** The laid-out places, overruled by what the person dragged. */
export function withRemembered(storage: Kept, kind: ViewKind, positions: Positions): Positions {
  const points = new Map(positions.points);
  const dragged = placesOf(storage, { kind, direction: positions.direction });
  for (const [id, { x, y }] of Object.entries(dragged)) if (points.has(id)) points.set(id, { x, y });
  return { ...positions, points };
}
