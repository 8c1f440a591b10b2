import type { Point } from "./layout.ts";
import type { Positions } from "./positions.ts";

const key = "limpid.places";

/** What was dragged in this tab, by node id. A storage that refuses (private mode) only means that it is not remembered. */
function read(): Record<string, Point> {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(key) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, Point>) : {};
  } catch {
    return {};
  }
}

function write(places: Record<string, Point>): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(places));
  } catch {}
}

export function rememberPlaces(moved: ReadonlyMap<string, Point>): void {
  const kept = Object.entries({ ...read(), ...Object.fromEntries(moved) }).slice(-2000);
  write(Object.fromEntries(kept));
}

export const forgetPlaces = (): void => write({});

/** For a view that is to be kept with what stands where. */
export const placesNow = (): Record<string, Point> => read();

export const restorePlaces = (places: Record<string, Point>): void => write(places);

/** The laid-out places, overruled by what the person dragged. */
export function withRemembered(positions: Positions): Positions {
  const places = read();
  const points = new Map(positions.points);
  for (const [id, point] of Object.entries(places)) {
    if (points.has(id) && Number.isFinite(point?.x) && Number.isFinite(point?.y))
      points.set(id, { x: point.x, y: point.y });
  }
  return { ...positions, points };
}
