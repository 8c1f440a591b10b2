import { pointAt } from "./curve.ts";
import type { Palette } from "./palette.ts";
import type { Scene, SceneBox, SceneEdge, SceneNode } from "./scene.ts";

const margin = 24;
const footer = 34;

/** The whole graph as an SVG, for documents: it stays sharp and its text can be found. `caption` is written below. */
export function sceneSvg(scene: Scene, palette: Palette, caption: string): string {
  const { bounds } = scene;
  const [x, y] = [bounds.x - margin, bounds.y - margin];
  const [width, height] = [bounds.width + 2 * margin, bounds.height + 2 * margin + footer];
  const heads = (["healthy", "degraded", "failing", "idle"] as const).map(
    (health) =>
      `<marker id="head-${health}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="${palette.health[health]}"/></marker>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${n(x)} ${n(y)} ${n(width)} ${n(height)}" width="${n(width)}" height="${n(height)}" font-family="${escaped(palette.font)}" font-size="12.5">`,
    `<title>${escaped(caption)}</title>`,
    `<defs>${heads.join("")}</defs>`,
    `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${palette.bg}"/>`,
    ...scene.boxes.map((box) => boxSvg(box, palette)),
    ...scene.edges.map((edge) => edgeSvg(edge, palette)),
    ...scene.nodes.map((node) => nodeSvg(node, palette)),
    ...scene.edges.map((edge) => labelSvg(edge, palette)),
    `<text x="${n(x + 16)}" y="${n(y + height - footer / 2)}" fill="${palette.ink2}" font-size="12">${escaped(caption)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

const n = (value: number): string => String(Math.round(value * 10) / 10);

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? "");

function boxSvg({ x, y, width, height, kind, name }: SceneBox, palette: Palette): string {
  const dash = kind === "namespace" ? ' stroke-dasharray="3 4"' : "";
  return `<g><rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="12" fill="none" stroke="${palette.line}"${dash}/><text x="${n(x + 12)}" y="${n(y + 16)}" fill="${palette.ink3}" font-size="11">${escaped(name)}</text></g>`;
}

function edgeSvg({ edge, curve, width }: SceneEdge, palette: Palette): string {
  const [start, ...rest] = curve.points;
  if (!start) return "";
  const path = `M${n(start.x)} ${n(start.y)}C${rest.map((point) => `${n(point.x)} ${n(point.y)}`).join(" ")}`;
  const dash = edge.health === "idle" ? ' stroke-dasharray="2 5"' : "";
  return `<path d="${path}" fill="none" stroke="${palette.health[edge.health]}" stroke-opacity="0.6" stroke-width="${n(width)}" marker-end="url(#head-${edge.health})"${dash}><title>${escaped(`${edge.source} → ${edge.target}`)}</title></path>`;
}

function nodeSvg({ x, y, r, node, name, sub }: SceneNode, palette: Palette): string {
  const { errorShare } = node.signals;
  const circumference = 2 * Math.PI * r;
  const colour = palette.health[errorShare > 0 ? "healthy" : node.health];
  const failed =
    errorShare > 0
      ? `<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="none" stroke="${palette.health.failing}" stroke-width="4.5" stroke-dasharray="${n(errorShare * circumference)} ${n(circumference)}" transform="rotate(-90 ${n(x)} ${n(y)})"/>`
      : "";
  const core = node.version === null ? palette.ink3 : palette.version(node.version);
  const lines = [
    ...name.map((line) => ({ line, fill: palette.ink })),
    ...(sub ? [{ line: sub, fill: palette.ink3 }] : []),
  ];
  const text = lines.map(
    ({ line, fill }, index) =>
      `<text x="${n(x)}" y="${n(y + r + 18 + index * 14)}" fill="${fill}" text-anchor="middle">${escaped(line)}</text>`,
  );
  return `<g><circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${palette.panel}" stroke="${colour}" stroke-width="3"/>${failed}<circle cx="${n(x)}" cy="${n(y)}" r="${n(Math.max(4, r * 0.38))}" fill="${core}"/>${text.join("")}</g>`;
}

function labelSvg({ curve, labels }: SceneEdge, palette: Palette): string {
  const [label] = labels;
  if (!label) return "";
  const { x, y } = pointAt(curve, 0.5);
  return `<text x="${n(x)}" y="${n(y - 4)}" fill="${palette.ink2}" font-size="11" text-anchor="middle" paint-order="stroke" stroke="${palette.bg}" stroke-width="3">${escaped(label)}</text>`;
}
