import { badgeRadius, badgesOf } from "./badges.ts";
import { type Curve, isNear, pointAt, samplesOf } from "./curve.ts";
import { far, near } from "./detail.ts";
import { type PlacedLock, placeLocks } from "./place-locks.ts";
import { contains, grown, holds, type Rect } from "./rect.ts";
import { nameSize, type SceneBox, type SceneEdge, type SceneNode } from "./scene.ts";
import { Taken } from "./taken.ts";
import { monoWidth, sansWidth } from "./text-size.ts";

export interface PlacedName {
  id: string;
  lines: readonly string[];
  sub: string;
  /** Centre of the text, and its first baseline. */
  x: number;
  y: number;
  rect: Rect;
}

export interface PlacedNumber {
  id: string;
  lines: readonly string[];
  rect: Rect;
  /** It stands on its call's line, which is cut there. */
  on: boolean;
}

export interface PlacedTitle {
  id: string;
  text: string;
  rect: Rect;
}

export interface Labels {
  names: PlacedName[];
  numbers: PlacedNumber[];
  titles: PlacedTitle[];
  locks: PlacedLock[];
  /** Sizes in graph units. */
  size: { name: number; number: number; title: number };
}

/** Which place a call's number took, so that it stays there while it fits. */
export type LabelMemory = Map<string, string>;

export interface Labelled {
  nodes: readonly SceneNode[];
  edges: readonly SceneEdge[];
  boxes: readonly SceneBox[];
  /** No number is written outside of it: a fit would cut it off. */
  bounds: Rect;
}

/** In graph units, so that on the screen it stays between `low` and `high` pixels. */
const sizeOn = (zoom: number, size: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, size * zoom)) / zoom;

/** Nobody reads more numbers than this at once. */
const mostNumbers = 160;

/**
 * Names, padlocks, numbers and titles where they cover neither each other nor a ring: names first, then padlocks, then what fails and what is
 * busy. A number that has no place is shortened, or left out. `memory` keeps places from one refresh to the next; it is updated.
 */
export function placeLabels(
  { nodes, edges, boxes, bounds }: Labelled,
  zoom: number,
  memory: LabelMemory = new Map(),
): Labels {
  const size = {
    name: sizeOn(zoom, nameSize, 10.5, 16),
    number: sizeOn(zoom, 11, 10, 14),
    title: sizeOn(zoom, 11.5, 10.5, 14),
  };
  const taken = new Taken([...nodes, ...badgesOf(nodes, boxes, edges).map(({ x, y }) => ({ x, y, r: badgeRadius }))]);
  const names = zoom < far ? [] : placeNames(nodes, size.name, taken);
  const locks = zoom < far ? [] : placeLocks(edges, taken);
  for (const box of boxes) if (box.kind === "versions") taken.add(box.id, box);
  const titles = placeTitles(boxes, edges, size.title, taken);
  const numbers = zoom < near ? [] : placeNumbers(edges, size.number, { taken, within: grown(bounds, 4) }, memory);
  return { names, numbers, titles, locks, size };
}

/** How finely a call's line is followed where it is asked what lies on it. */
const lineSamples = 28;

/** Of numbers, in their size. */
export const lineHeight = 1.3;

const rank = { failing: 0, degraded: 1, healthy: 2, idle: 3 } as const;

/** Steps of two, so that a rate that only trembles does not change who comes first. */
const importance = (rate: number): number => Math.round(Math.log2(1 + rate));

function placeNames(nodes: readonly SceneNode[], size: number, taken: Taken): PlacedName[] {
  const first = nodes.toSorted(
    (a, b) =>
      rank[a.node.health] - rank[b.node.health] ||
      importance(b.node.signals.requestRate) - importance(a.node.signals.requestRate) ||
      (a.id < b.id ? -1 : 1),
  );
  return first.flatMap(({ id, x, y, r, name, sub }) => {
    const top = y + r + 5;
    for (const below of sub ? [sub, ""] : [""]) {
      const widths = [...name.map((line) => sansWidth(line, size)), sansWidth(below, size * 0.88)];
      const width = Math.max(...widths);
      const height = size * (1.15 * name.length + (below ? 1.05 : 0)) + 3;
      const rect = { x: x - width / 2, y: top, width, height };
      if (!taken.isFree(rect)) continue;
      taken.add(id, rect);
      return [{ id, lines: name, sub: below, x, y: top + size, rect }];
    }
    return [];
  });
}

/** A namespace's name in whichever corner of its box is free, else beside or above it. */
function placeTitles(
  boxes: readonly SceneBox[],
  edges: readonly SceneEdge[],
  size: number,
  taken: Taken,
): PlacedTitle[] {
  const isCrossed = (rect: Rect) =>
    edges.some(({ curve }) => isNear(curve, rect) && samplesOf(curve, lineSamples).some((point) => holds(rect, point)));
  return boxes.flatMap((box) => {
    if (box.kind !== "namespace") return [];
    const [width, height] = [sansWidth(box.name, size), size * 1.3];
    const [left, right] = [box.x + 14, box.x + box.width - 14 - width];
    const [top, bottom] = [box.y + 9, box.y + box.height - 9 - height];
    const corners = [
      { x: left, y: top },
      { x: right, y: top },
      { x: left, y: bottom },
      { x: right, y: bottom },
      { x: box.x + box.width + 6, y: top },
      { x: box.x - 6 - width, y: top },
      { x: box.x + 4, y: box.y - 3 - height },
    ]
      .slice(width > box.width - 20 ? 4 : 0)
      .map((corner) => ({ ...corner, width, height }));
    const free = corners.filter((rect) => taken.isFree(rect));
    const rect = free.find((one) => !isCrossed(grown(one, 3))) ?? free[0];
    if (!rect) return [];
    taken.add(box.id, grown(rect, 2));
    return [{ id: box.id, text: box.name, rect }];
  });
}

/** What numbers have to keep off, and where they end. */
interface Room {
  taken: Taken;
  within: Rect;
}

/** What they had better not lie on, too. */
interface Ground extends Room {
  lines: Taken;
}

function placeNumbers(edges: readonly SceneEdge[], size: number, room: Room, memory: LabelMemory): PlacedNumber[] {
  const ground: Ground = { ...room, lines: new Taken([]) };
  for (const { id, curve } of edges)
    for (const point of samplesOf(curve, lineSamples)) ground.lines.add(id, { ...point, width: 0, height: 0 });
  const first = edges
    .filter(({ labels }) => labels.length > 0)
    .toSorted(
      (a, b) =>
        rank[a.edge.health] - rank[b.edge.health] ||
        importance(b.edge.signals.requestRate) - importance(a.edge.signals.requestRate) ||
        (a.id < b.id ? -1 : 1),
    )
    .slice(0, mostNumbers);
  const placed: PlacedNumber[] = [];
  for (const edge of first) {
    const best = bestPlace(edge, size, ground, memory.get(edge.id));
    if (!best) {
      memory.delete(edge.id);
      continue;
    }
    memory.set(edge.id, best.key);
    ground.taken.add(edge.id, grown(best.rect, 1));
    placed.push({ id: edge.id, lines: best.lines, rect: best.rect, on: best.on });
  }
  return placed;
}

interface Place {
  key: string;
  lines: readonly string[];
  rect: Rect;
  on: boolean;
  cost: number;
}

/** Lying on another call's line is worse than being shortened, and a good place is not looked for any further. */
const crossing = 14;
const shortening = 6;
const tolerable = 9;

function bestPlace(
  edge: SceneEdge,
  size: number,
  { taken, lines, within }: Ground,
  remembered: string | undefined,
): Place | null {
  let best: Place | null = null;
  for (const [index, text] of edge.labels.entries()) {
    const words = text.split("\n");
    for (const place of candidates(edge.curve, words, size)) {
      if (!contains(within, place.rect) || !taken.isFree(place.rect)) continue;
      const key = `${index}${place.key}`;
      // What other calls it would lie on, and where it does not mean to stand on its own, that too.
      const crossed = lines.idsIn(grown(place.rect, 2));
      const own = crossed.delete(edge.id) && !place.on ? 3 : 0;
      const cost = place.cost + own + crossed.size * crossing + index * shortening - (key === remembered ? 8 : 0);
      if (cost < (best?.cost ?? Number.POSITIVE_INFINITY)) best = { ...place, key, lines: words, cost };
    }
    if (best && best.cost <= tolerable) break;
  }
  return best;
}

const shares = [0.5, 0.43, 0.57, 0.36, 0.64, 0.29, 0.71, 0.22, 0.78, 0.16, 0.84];

/** Above the line, on it, or below, from its middle outwards; beside it where it is steep. */
function candidates(curve: Curve, words: readonly string[], size: number): Omit<Place, "lines">[] {
  const width = Math.max(...words.map((line) => monoWidth(line, size))) + 4;
  const height = size * lineHeight * words.length;
  return shares.flatMap((share) => {
    const at = pointAt(curve, share);
    const [before, after] = [pointAt(curve, share - 0.04), pointAt(curve, share + 0.04)];
    const length = Math.hypot(after.x - before.x, after.y - before.y) || 1;
    // The normal that points up, or to the right of a call that falls straight down.
    const [nx, ny] = [(after.y - before.y) / length, -(after.x - before.x) / length];
    const up = ny < -0.05 || (Math.abs(ny) <= 0.05 && nx > 0) ? 1 : -1;
    const reach = (Math.abs(nx) * width) / 2 + (Math.abs(ny) * height) / 2 + 4;
    const away = Math.abs(share - 0.5) * 16;
    return ([1, 0, -1] as const).map((side) => {
      const [x, y] = [at.x + nx * up * side * reach, at.y + ny * up * side * reach];
      return {
        key: `/${share}/${side}`,
        rect: { x: x - width / 2, y: y - height / 2, width, height },
        on: side === 0,
        cost: away + (side === 1 ? 0 : side === 0 ? 2.5 : 3),
      };
    });
  });
}
