import type { GraphEdge } from "../../server/contract/index.ts";
import { pointAt } from "./curve.ts";
import { far } from "./detail.ts";
import { applyView, type View, visibleRect } from "./paint.ts";
import type { Palette } from "./palette.ts";
import { grown, holds, type Rect } from "./rect.ts";
import type { SceneEdge } from "./scene.ts";

interface Particle {
  edge: string;
  /** Way travelled, 0..1. */
  way: number;
  failed: boolean;
}

/** How many may fly at once in the whole graph. */
const most = 480;

/** Seconds from end to end: a slow call is a slow particle. */
export const travelSec = (latencyMs: number | null): number =>
  Math.min(4, 0.85 + 2.2 * Math.sqrt((latencyMs ?? 0) / 1000));

/** How many fly on one edge at a time: more for more requests, less than one for a trickle. */
export const inFlight = (rate: number): number => (rate <= 0 ? 0 : Math.min(10, 1.15 * rate ** 0.52));

/** Requests on their way. Which of them fail follows the error share exactly, not by chance. */
export class Particles {
  private flying: Particle[] = [];
  private readonly debts = new Map<string, { launch: number; fail: number }>();

  /** Moves everything by `seconds` and launches what is due on these edges; what is on other edges vanishes. */
  step(edges: readonly GraphEdge[], seconds: number): void {
    const wanted = edges.reduce((sum, edge) => sum + inFlight(edge.signals.requestRate), 0);
    const thin = Math.min(1, most / Math.max(1, wanted));
    const speeds = new Map<string, number>();
    for (const edge of edges) {
      const speed = 1 / travelSec(edge.signals.latencyMsP50);
      speeds.set(edge.id, speed);
      this.launch(edge, inFlight(edge.signals.requestRate) * thin * speed * seconds);
    }
    this.flying = this.flying.filter((particle) => {
      particle.way += (speeds.get(particle.edge) ?? 9) * seconds;
      return particle.way < 1;
    });
  }

  private launch(edge: GraphEdge, due: number): void {
    const debt = this.debts.get(edge.id) ?? { launch: (hash(edge.id) % 97) / 97, fail: 0.5 };
    debt.launch = Math.min(3, debt.launch + due);
    while (debt.launch >= 1 && this.flying.length < most) {
      debt.launch -= 1;
      debt.fail += edge.signals.errorShare;
      const failed = debt.fail >= 1;
      if (failed) debt.fail -= 1;
      this.flying.push({ edge: edge.id, way: 0, failed });
    }
    this.debts.set(edge.id, debt);
  }

  get all(): readonly Particle[] {
    return this.flying;
  }

  clear(): void {
    this.flying = [];
  }
}

const hash = (text: string): number => {
  let value = 7;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) >>> 0;
  return value;
};

export interface Sky {
  edges: ReadonlyMap<string, SceneEdge>;
  /** Where a call is hidden below its own number. */
  covers: ReadonlyMap<string, Rect>;
  lit: ReadonlySet<string> | null;
}

/** What flies ends before the arrow's head does. */
const landing = 0.965;

/** A dot for a request, a diamond for one that fails. */
export function paintParticles(
  ctx: CanvasRenderingContext2D,
  particles: Particles,
  { edges, covers, lit }: Sky,
  view: View,
  palette: Palette,
): void {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  applyView(ctx, view);
  const seen = visibleRect(view, 10);
  const scale = Math.max(1, 0.7 / view.zoom);
  for (const { edge: id, way, failed } of particles.all) {
    const edge = edges.get(id);
    if (!edge || (lit && !lit.has(id)) || (view.zoom < far && !failed)) continue;
    const point = pointAt(edge.curve, way * landing);
    if (!holds(seen, point)) continue;
    const cover = covers.get(id);
    if (cover && holds(grown(cover, 2), point)) continue;
    const { x, y } = point;
    ctx.beginPath();
    if (failed) {
      const size = 5 * scale;
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      ctx.fillStyle = palette.health.failing;
    } else {
      ctx.arc(x, y, 2.4 * scale, 0, 2 * Math.PI);
      ctx.fillStyle = edge.edge.health === "degraded" ? palette.health.degraded : palette.health.healthy;
    }
    ctx.fill();
  }
}
