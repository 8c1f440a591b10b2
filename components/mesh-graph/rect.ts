export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

export const grown = ({ x, y, width, height }: Rect, by: number): Rect => ({
  x: x - by,
  y: y - by,
  width: width + 2 * by,
  height: height + 2 * by,
});

export const holds = (rect: Rect, { x, y }: { x: number; y: number }): boolean =>
  x > rect.x && x < rect.x + rect.width && y > rect.y && y < rect.y + rect.height;

/** Whether a rectangle comes closer to a disc than `gap`. */
export function touchesDisc(rect: Rect, disc: { x: number; y: number; r: number }, gap = 0): boolean {
  const dx = Math.max(rect.x - disc.x, 0, disc.x - rect.x - rect.width);
  const dy = Math.max(rect.y - disc.y, 0, disc.y - rect.y - rect.height);
  return Math.hypot(dx, dy) < disc.r + gap;
}

export const contains = (outer: Rect, inner: Rect): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;
