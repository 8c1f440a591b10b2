import { type Emphasis, paintScene, type View } from "./paint.ts";
import type { Palette } from "./palette.ts";
import { type Particles, paintParticles } from "./particles.ts";
import type { Labels } from "./place-labels.ts";
import type { Scene, SceneEdge } from "./scene.ts";

export interface Picture {
  scene: Scene;
  labels: Labels;
  flying: Particles;
  edges: ReadonlyMap<string, SceneEdge>;
  view: View;
  palette: Palette;
  emphasis: Emphasis;
  /** Of which mesh and when; written below. */
  caption: string;
}

const footer = 34;

/** The graph as it is on the page at twice its size: the same part of it, the same labels, what is lit, and the requests in flight. */
export function paintPicture({
  scene,
  labels,
  flying,
  edges,
  view,
  palette,
  emphasis,
  caption,
}: Picture): Promise<Blob | null> {
  const dpr = 2;
  const layer = (height: number) => {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(view.width * dpr);
    canvas.height = Math.round(height * dpr);
    return canvas;
  };
  const [whole, graph, particles] = [layer(view.height + footer), layer(view.height), layer(view.height)];
  const [ctx, graphCtx, particleCtx] = [whole.getContext("2d"), graph.getContext("2d"), particles.getContext("2d")];
  if (!ctx || !graphCtx || !particleCtx) return Promise.resolve(null);
  const sharp = { ...view, dpr };
  paintScene(graphCtx, scene, labels, sharp, palette, emphasis);
  const covers = new Map(labels.numbers.filter(({ on }) => on).map(({ id, rect }) => [id, rect]));
  paintParticles(particleCtx, flying, { edges, covers, lit: emphasis.lit }, sharp, palette);
  ctx.fillStyle = palette.bg;
  ctx.fillRect(0, 0, whole.width, whole.height);
  ctx.drawImage(graph, 0, 0);
  ctx.drawImage(particles, 0, 0);
  ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
  ctx.fillStyle = palette.panel;
  ctx.fillRect(0, view.height, view.width, footer);
  ctx.fillStyle = palette.ink2;
  ctx.font = `12px ${palette.font}`;
  ctx.textBaseline = "middle";
  ctx.fillText(caption, 16, view.height + footer / 2);
  return new Promise((resolve) => whole.toBlob(resolve, "image/png"));
}
