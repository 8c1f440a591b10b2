interface State {
  strokeStyle: string;
  fillStyle: string;
  globalAlpha: number;
  lineWidth: number;
  lineCap: CanvasLineCap;
  lineJoin: CanvasLineJoin;
  font: string;
  textAlign: CanvasTextAlign;
  dash: readonly number[];
  /** Where the origin is, and how large a unit. */
  x: number;
  y: number;
  scale: number;
}

/** What the graph is painted with: a canvas, or what writes the same down as SVG. */
export type Pen = CanvasRenderingContext2D | SvgPen;

const paths = new Map<string, Path2D>();

/** A shape that is given as SVG's path data. */
export function drawShape(pen: Pen, data: string, how: "fill" | "stroke"): void {
  if (pen instanceof SvgPen) {
    pen.shape(data, how);
    return;
  }
  const path = paths.get(data) ?? new Path2D(data);
  paths.set(data, path);
  pen[how](path);
}

/** As much of a canvas as the graph's painting asks for; what is painted is written down as SVG elements, in its order. */
export class SvgPen {
  readonly elements: string[] = [];
  strokeStyle = "#000";
  fillStyle = "#000";
  globalAlpha = 1;
  lineWidth = 1;
  lineCap: CanvasLineCap = "butt";
  lineJoin: CanvasLineJoin = "miter";
  font = "10px sans-serif";
  textAlign: CanvasTextAlign = "start";
  /** Text stands on the baseline, as the graph's always does. */
  textBaseline: CanvasTextBaseline = "alphabetic";
  private dash: readonly number[] = [];
  private at = { x: 0, y: 0, scale: 1 };
  private readonly saved: State[] = [];
  private path: string[] = [];
  /** A text's outline, until what fills it comes. */
  private outline: { text: string; x: number; y: number; attributes: string } | null = null;

  save(): void {
    const { strokeStyle, fillStyle, globalAlpha, lineWidth, lineCap, lineJoin, font, textAlign, dash } = this;
    const style = { strokeStyle, fillStyle, globalAlpha, lineWidth, lineCap, lineJoin, font, textAlign, dash };
    this.saved.push({ ...style, ...this.at });
  }

  restore(): void {
    const state = this.saved.pop();
    if (!state) return;
    const { x, y, scale, ...style } = state;
    Object.assign(this, style);
    this.at = { x, y, scale };
  }

  translate(x: number, y: number): void {
    const { scale } = this.at;
    this.at = { x: this.at.x + x * scale, y: this.at.y + y * scale, scale };
  }

  /** Evenly: the graph's painting knows no other. */
  scale(by: number, _by: number): void {
    this.at = { ...this.at, scale: this.at.scale * by };
  }

  setLineDash(dash: readonly number[]): void {
    this.dash = dash;
  }

  beginPath(): void {
    this.path = [];
  }
  closePath(): void {
    this.path.push("Z");
  }
  moveTo(x: number, y: number): void {
    this.path.push(`M${this.point(x, y)}`);
  }
  lineTo(x: number, y: number): void {
    this.path.push(`L${this.point(x, y)}`);
  }
  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void {
    this.path.push(`C${this.point(ax, ay)} ${this.point(bx, by)} ${this.point(x, y)}`);
  }

  /** Clockwise, and by less than the whole turn or by all of it. */
  arc(x: number, y: number, r: number, from: number, to: number): void {
    const on = (angle: number) => this.point(x + r * Math.cos(angle), y + r * Math.sin(angle));
    const radius = n(r * this.at.scale);
    const part = (until: number, large: boolean) => `A${radius} ${radius} 0 ${large ? 1 : 0} 1 ${on(until)}`;
    this.path.push(`M${on(from)}`);
    if (to - from < 2 * Math.PI - 1e-9) this.path.push(part(to, to - from > Math.PI));
    else this.path.push(part(from + Math.PI, false), part(to, false), "Z");
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.roundRect(x, y, width, height, 0);
  }

  roundRect(x: number, y: number, width: number, height: number, r: number): void {
    const corner = (toX: number, toY: number) =>
      r === 0 ? "" : `A${n(r * this.at.scale)} ${n(r * this.at.scale)} 0 0 1 ${this.point(toX, toY)}`;
    const [right, bottom] = [x + width, y + height];
    this.path.push(
      `M${this.point(x + r, y)}L${this.point(right - r, y)}${corner(right, y + r)}L${this.point(right, bottom - r)}`,
      `${corner(right - r, bottom)}L${this.point(x + r, bottom)}${corner(x, bottom - r)}L${this.point(x, y + r)}${corner(x + r, y)}Z`,
    );
  }

  fill(): void {
    this.elements.push(`<path d="${this.path.join("")}"${this.filled()}/>`);
  }
  stroke(): void {
    this.elements.push(`<path d="${this.path.join("")}" fill="none"${this.stroked(this.at.scale)}/>`);
  }

  shape(data: string, how: "fill" | "stroke"): void {
    const { x, y, scale } = this.at;
    const place = `translate(${n(x)} ${n(y)})${scale === 1 ? "" : ` scale(${scale})`}`;
    const style = how === "fill" ? this.filled() : ` fill="none"${this.stroked(1)}`;
    this.elements.push(`<path d="${data}" transform="${place}"${style}/>`);
  }

  strokeText(text: string, x: number, y: number): void {
    this.outline = { text, x, y, attributes: ` paint-order="stroke"${this.stroked(this.at.scale)}` };
  }

  fillText(text: string, x: number, y: number): void {
    const { outline } = this;
    this.outline = null;
    const isOutlined = outline?.text === text && outline.x === x && outline.y === y;
    const [, size = "10", family = ""] = /^([\d.]+)px (.*)$/.exec(this.font) ?? [];
    const anchor = this.textAlign === "center" ? ' text-anchor="middle"' : "";
    const [left, top] = this.point(x, y).split(" ");
    this.elements.push(
      `<text x="${left}" y="${top}" font-size="${n(Number(size) * this.at.scale)}" font-family="${escaped(family)}"${anchor}${isOutlined ? outline.attributes : ""}${this.filled()}>${escaped(text)}</text>`,
    );
  }

  private point(x: number, y: number): string {
    const { at } = this;
    return `${n(at.x + x * at.scale)} ${n(at.y + y * at.scale)}`;
  }

  private filled(): string {
    return ` fill="${this.fillStyle}"${this.globalAlpha === 1 ? "" : ` fill-opacity="${n(this.globalAlpha)}"`}`;
  }

  private stroked(scale: number): string {
    const { strokeStyle, lineWidth, globalAlpha, lineCap, lineJoin, dash } = this;
    return [
      ` stroke="${strokeStyle}" stroke-width="${n(lineWidth * scale)}"`,
      ...(globalAlpha === 1 ? [] : [` stroke-opacity="${n(globalAlpha)}"`]),
      ...(lineCap === "butt" ? [] : [` stroke-linecap="${lineCap}"`]),
      ...(lineJoin === "miter" ? [] : [` stroke-linejoin="${lineJoin}"`]),
      ...(dash.length === 0 ? [] : [` stroke-dasharray="${dash.join(" ")}"`]),
    ].join("");
  }
}

const n = (value: number): string => String(Math.round(value * 100) / 100);

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? "");
