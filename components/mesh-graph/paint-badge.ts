import type { Badge } from "../../server/contract/index.ts";
import type { Palette } from "./palette.ts";
import { lockRadius, type PlacedLock } from "./place-locks.ts";
import { drawShape, type Pen } from "./svg-pen.ts";

/** Drawn around 0,0 within ±6. */
const glyphs: Partial<Record<Badge, string>> = {
  fault: "M1.5-6l-5 7h3.500l-1 5 5-7h-3.500z",
  split: "M-5 4C-1 4-1-4 4-4M-5 4C-1 4 0 2 4 2M2-6l2.500 2L2-2M2 0l2.500 2L2 4",
  mirror: "M0-6v12M-2.500-3.500L-6 3.500h3.500zM2.500-3.500L6 3.500h-3.500z",
  "circuit-breaker": "M-6 0h3l5-4M2 0h4M-3 0v0",
  timeout: "M0-6a6 6 0 100 12 6 6 0 000-12M0-3v3.200l2.200 1.600",
  "proxy-gone": "M-3.800-3.800L3.800 3.800M3.800-3.800L-3.800 3.800",
  retry: "M4.500-2.500A5 5 0 105 1M5-5.500v3.200H1.800",
};

/** A padlock, its shackle closed or swung open, drawn around 0,0 within ±5. */
const locks = {
  all: "M-4-0.500h8v5h-8zM-2.600-0.500v-1.800a2.600 2.600 0 015.200 0v1.800",
  some: "M-4-0.500h8v5h-8zM-2.600-0.500v-1.800a2.600 2.600 0 015.200 0",
};

/** Calls that come over mutual TLS, all of them or some. */
export function paintLock(ctx: Pen, { share, x, y }: PlacedLock, palette: Palette): void {
  ctx.save();
  ctx.translate(x, y);
  ctx.beginPath();
  ctx.arc(0, 0, lockRadius, 0, 2 * Math.PI);
  ctx.fillStyle = palette.bg;
  ctx.fill();
  ctx.strokeStyle = ctx.fillStyle = palette.ink2;
  ctx.lineWidth = 1.3;
  ctx.lineCap = ctx.lineJoin = "round";
  drawShape(ctx, share < 1 ? locks.some : locks.all, "stroke");
  ctx.beginPath();
  ctx.rect(-4, -0.5, 8, 5);
  ctx.fill();
  ctx.restore();
}

/** Where config acts: a fault burns in red, as does a proxy that is gone, a split is in the accent, the rest is quiet. */
export function paintBadge(ctx: Pen, badge: Badge, x: number, y: number, palette: Palette): void {
  const glyph = glyphs[badge];
  if (glyph === undefined) return;
  const isBad = badge === "fault" || badge === "proxy-gone";
  const quiet = !isBad && badge !== "split";
  ctx.save();
  ctx.translate(x, y);
  ctx.beginPath();
  if (badge === "split") ctx.roundRect(-12, -9, 24, 18, 5);
  else ctx.arc(0, 0, 10.5, 0, 2 * Math.PI);
  ctx.fillStyle = isBad ? palette.health.failing : badge === "split" ? palette.accent : palette.panel;
  ctx.fill();
  if (quiet) {
    ctx.strokeStyle = palette.ink3;
    ctx.lineWidth = 1;
    ctx.stroke();
  }
  ctx.lineWidth = 1.4;
  ctx.lineCap = ctx.lineJoin = "round";
  if (badge === "fault") {
    ctx.fillStyle = palette.panel;
    drawShape(ctx, glyph, "fill");
  } else {
    ctx.strokeStyle = quiet ? palette.ink2 : isBad ? palette.panel : palette.accentInk;
    if (isBad) ctx.lineWidth = 2;
    if (quiet) ctx.scale(0.85, 0.85);
    drawShape(ctx, glyph, "stroke");
  }
  ctx.restore();
}
