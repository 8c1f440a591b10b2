import type { Palette } from "./palette.ts";
import { type Labels, lineHeight } from "./place-labels.ts";
import type { SceneEdge } from "./scene.ts";
import type { Pen } from "./svg-pen.ts";

/** Writes what was placed: names below the rings, numbers on the calls, namespaces in their boxes. */
export function paintLabels(
  ctx: Pen,
  { names, numbers, titles, size }: Labels,
  edges: ReadonlyMap<string, SceneEdge>,
  palette: Palette,
  isFaint: (id: string) => boolean,
): void {
  ctx.textBaseline = "alphabetic";
  ctx.lineJoin = "round";
  ctx.strokeStyle = palette.bg;
  ctx.textAlign = "left";
  ctx.font = `${size.title}px ${palette.font}`;
  ctx.fillStyle = palette.ink2;
  ctx.lineWidth = size.title / 3;
  for (const { text, rect } of titles) {
    ctx.strokeText(text, rect.x, rect.y + size.title);
    ctx.fillText(text, rect.x, rect.y + size.title);
  }
  ctx.textAlign = "center";
  for (const { id, lines, sub, x, y } of names) {
    ctx.globalAlpha = isFaint(id) ? 0.25 : 1;
    ctx.font = `${size.name}px ${palette.font}`;
    ctx.lineWidth = 3;
    ctx.fillStyle = palette.ink;
    for (const [index, line] of lines.entries()) {
      ctx.fillText(line, x, y + index * size.name * 1.15);
    }
    if (!sub) continue;
    ctx.font = `${size.name * 0.88}px ${palette.font}`;
    ctx.fillStyle = palette.ink2;
    ctx.fillText(sub, x, y + (lines.length * 1.15 - 0.05) * size.name);
  }
  ctx.font = `${size.number}px ${palette.mono}`;
  for (const { id, lines, rect, on } of numbers) {
    if (isFaint(id)) continue;
    ctx.globalAlpha = 1;
    if (on) {
      ctx.fillStyle = palette.bg;
      ctx.beginPath();
      ctx.roundRect(rect.x, rect.y, rect.width, rect.height, 4);
      ctx.fill();
    }
    ctx.fillStyle = toneOf(edges.get(id), palette);
    ctx.lineWidth = 3.5;
    for (const [index, line] of lines.entries()) {
      const [x, y] = [rect.x + rect.width / 2, rect.y + size.number * (lineHeight * (index + 0.5) + 0.36)];
      if (!on) ctx.strokeText(line, x, y);
      ctx.fillText(line, x, y);
    }
  }
  ctx.globalAlpha = 1;
}

/** In the colour of the call that it is on, where that is in trouble. */
function toneOf(edge: SceneEdge | undefined, palette: Palette): string {
  const health = edge?.edge.health;
  return health === "failing" || health === "degraded" ? palette.health[health] : palette.ink2;
}
