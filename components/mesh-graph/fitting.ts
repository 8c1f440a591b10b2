import type { Direction, Point } from "./layout.ts";
import type { Rect } from "./rect.ts";

/** The surface, and what of it toolbar and tools cover. */
export interface Room {
  width: number;
  height: number;
  top: number;
  right: number;
  bottom: number;
  left: number;
}

export interface Fit {
  stretch: Point;
  zoom: number;
}

/** How large things get where there is room for more. */
const largest = 1.15;
/** How far apart the layout is drawn before a place is left empty: first along the calls, where the numbers stand. */
const widest: Record<Direction, Point> = { right: { x: 1.75, y: 1.3 }, down: { x: 1.6, y: 1.5 } };

/**
 * The largest zoom at which everything is in sight, and then the distances that fill what is left. `bounds` and `places` are of the
 * layout as it is, with and without what is drawn around the places.
 */
export function fitInto(bounds: Rect, places: Rect, room: Room, direction: Direction): Fit {
  const free = { x: room.width - room.left - room.right, y: room.height - room.top - room.bottom };
  const around = { x: bounds.width - places.width, y: bounds.height - places.height };
  const zoom = Math.max(0.01, Math.min(largest, free.x / bounds.width, free.y / bounds.height));
  const stretch = (length: number, around: number, free: number, most: number) =>
    length <= 0 ? 1 : Math.min(most, Math.max(1, (free / zoom - around) / length));
  return {
    zoom,
    stretch: {
      x: stretch(places.width, around.x, free.x, widest[direction].x),
      y: stretch(places.height, around.y, free.y, widest[direction].y),
    },
  };
}

/** Where the drawn bounds stand in the middle of the room. */
export const centred = (bounds: Rect, zoom: number, room: Room): Point => ({
  x: room.left + (room.width - room.left - room.right - bounds.width * zoom) / 2 - bounds.x * zoom,
  y: room.top + (room.height - room.top - room.bottom - bounds.height * zoom) / 2 - bounds.y * zoom,
});

/**
 * How far what is drawn may reach into the room's margins before it is fitted anew, in pixels of the screen: by as much as a ring grows between no
 * request and many. Above there is the toolbar.
 */
const slack = { top: 8, side: 14 };

/** Whether what is drawn is still in sight, so that it may stay where it is. */
export const isInside = (bounds: Rect, zoom: number, pan: Point, room: Room): boolean =>
  bounds.x * zoom + pan.x >= room.left - Math.min(slack.side, room.left) &&
  bounds.y * zoom + pan.y >= room.top - slack.top &&
  (bounds.x + bounds.width) * zoom + pan.x <= room.width - room.right + Math.min(slack.side, room.right) &&
  (bounds.y + bounds.height) * zoom + pan.y <= room.height - room.bottom + Math.min(slack.side, room.bottom);

/** Room for what reaches so far down from above (the toolbar), and for the tools below, on their side of a wide place. */
export function roomOf(width: number, height: number, top: number): Room {
  if (width < 560) return { width, height, top, right: 8, bottom: 44, left: 8 };
  return { width, height, top, right: 20, bottom: 16, left: 52 };
}
