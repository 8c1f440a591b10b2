import { drawScene, type View } from "./paint.ts";
import type { Palette } from "./palette.ts";
import { placeLabels } from "./place-labels.ts";
import type { Scene } from "./scene.ts";
import { escaped, SvgPen } from "./svg-pen.ts";

const margin = 24;
const footer = 34;

/** The whole graph as an SVG, for documents: as it is painted, but that it stays sharp and its text can be found. `caption` is written below. */
export function sceneSvg(scene: Scene, palette: Palette, caption: string): string {
  const { bounds } = scene;
  const [x, y] = [Math.floor(bounds.x - margin), Math.floor(bounds.y - margin)];
  const [width, height] = [Math.ceil(bounds.width + 2 * margin), Math.ceil(bounds.height + 2 * margin)];
  const view: View = { zoom: 1, pan: { x: -x, y: -y }, width, height, dpr: 1 };
  const pen = new SvgPen();
  drawScene(pen, scene, placeLabels(scene, 1), view, palette, { selected: null, hovered: null, lit: null });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${x} ${y} ${width} ${height + footer}" width="${width}" height="${height + footer}">`,
    `<title>${escaped(caption)}</title>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height + footer}" fill="${palette.bg}"/>`,
    ...pen.elements,
    `<text x="${x + 16}" y="${y + height + footer / 2 + 4}" fill="${palette.ink2}" font-size="12" font-family="${escaped(palette.font)}">${escaped(caption)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}
