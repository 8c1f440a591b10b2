"use client";
import { useMantineColorScheme } from "@mantine/core";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { useLocale, useTranslations } from "use-intl";
import { axisTimes, type ChartKind, chartText, niceTop, shareTop, tickSteps, tickText } from "./chart-axis.ts";
import { type ChartGap, touchesGap } from "./chart-gaps.ts";
import { ChartMarkLayer } from "./chart-mark-layer.tsx";
import { type ChartMark, placeMarks } from "./chart-marks.ts";
import { formatMoment } from "./format.ts";
import styles from "./live-chart.module.css";

export interface ChartSeries {
  label: string;
  /** A CSS colour; `var(--v1)` is resolved. */
  color: string;
  values: readonly (number | null)[];
  fill?: boolean;
  dash?: boolean;
}

export interface LiveChartProps {
  /** Unix milliseconds of the first value. */
  fromMs: number;
  stepSec: number;
  series: readonly ChartSeries[];
  kind: ChartKind;
  height?: number;
  marks?: readonly ChartMark[];
  /** Stretches of which nothing is known: hatched. */
  gaps?: readonly ChartGap[];
  /** Said to screen readers. */
  label: string;
  /** Charts of the same key show the pointer's moment together. */
  sync?: string;
}

/** Where the plot lies within the chart, in pixels. */
interface Plot {
  left: number;
  width: number;
}

/** Room above the plot for the marks' flags and names. */
const flagRoom = 20;

/** A time series that is updated in place; hovering, or the arrow keys, show every series' value at that moment. */
export function LiveChart(props: LiveChartProps) {
  const { series, kind, height = 160, label, marks = [], fromMs, stepSec, sync } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [area, setArea] = useState<Plot>({ left: 0, width: 0 });
  const latest = useRef(props);
  latest.current = props;
  const locale = useLocale();
  const unrecorded = useTranslations("ui")("unrecorded-here");
  const { colorScheme } = useMantineColorScheme();
  const shape = JSON.stringify([
    series.map(({ label, color, fill, dash }) => [label, color, fill, dash]),
    kind,
    height,
    locale,
    colorScheme,
  ]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for everything that the options are made of
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const place = ({ bbox }: uPlot) => {
      const next = { left: bbox.left / devicePixelRatio, width: bbox.width / devicePixelRatio };
      setArea((known) => (known.left === next.left && known.width === next.width ? known : next));
    };
    const chart = new uPlot(optionsOf(latest, element, { locale, unrecorded }, place), dataOf(latest.current), element);
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(dataOf(props)), [props]);
  const steps = Math.max(0, ...series.map((one) => one.values.length));
  const toMs = fromMs + Math.max(0, steps - 1) * stepSec * 1000;
  const placed = useMemo(() => placeMarks(marks, fromMs, toMs, area.width), [marks, fromMs, toMs, area.width]);
  return (
    <div className={styles.chart} style={{ height }}>
      <div
        ref={host}
        role="img"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read the values at each moment
        tabIndex={0}
        onKeyDown={(event) => walk(event, plot.current, sync)}
      />
      <ChartMarkLayer placed={placed} left={area.left} width={area.width} />
    </div>
  );
}

/** The arrow keys move the crosshair from step to step. */
function walk(event: KeyboardEvent, chart: uPlot | null, sync: string | undefined): void {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (by === 0 || !chart) return;
  event.preventDefault();
  const last = chart.data[0].length - 1;
  const index = Math.min(last, Math.max(0, (chart.cursor.idx ?? (by > 0 ? -1 : last + 1)) + by));
  const time = chart.data[0][index];
  if (time === undefined) return;
  const at = { left: chart.valToPos(time, "x"), top: 10 };
  chart.setCursor(at, true);
  // A pointer tells the other charts by itself; a key has to be told of.
  const { clientWidth, clientHeight } = chart.over;
  if (sync) uPlot.sync(sync).pub("mousemove", chart, at.left, at.top, clientWidth, clientHeight, index);
}

function dataOf({ fromMs, stepSec, series }: LiveChartProps): uPlot.AlignedData {
  const length = Math.max(0, ...series.map((one) => one.values.length));
  const times = Array.from({ length }, (_, i) => fromMs / 1000 + i * stepSec);
  return [times, ...series.map((one) => [...one.values])];
}

interface Words {
  locale: string;
  /** Instead of values where there are none. */
  unrecorded: string;
}

function optionsOf(
  latest: { current: LiveChartProps },
  element: HTMLElement,
  words: Words,
  onPlaced: (chart: uPlot) => void,
): uPlot.Options {
  const { locale } = words;
  const { series, kind, height = 160, sync } = latest.current;
  const css = getComputedStyle(element);
  const resolve = (color: string) => {
    const name = /^var\((--[\w-]+)\)$/.exec(color)?.[1];
    return name ? css.getPropertyValue(name).trim() : color;
  };
  const text = (value: number | null) => chartText(kind, value, locale);
  const axis = {
    stroke: resolve("var(--ink-3)"),
    grid: { stroke: resolve("var(--line-soft)"), width: 1 },
    ticks: { show: false },
    font: `11px ${css.fontFamily}`,
  };
  return {
    width: element.clientWidth || 300,
    height,
    // On the right, half a label of the last moment.
    padding: [flagRoom, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false }, ...(sync ? { sync: { key: sync } } : {}) },
    scales: {
      x: { time: true },
      y: {
        range: (_plot, _min, max) => [0, kind === "share" ? shareTop(max) : niceTop(max)],
      },
    },
    axes: [
      {
        ...axis,
        size: 24,
        values: (_plot, times, _axis, _space, step) =>
          axisTimes(
            times.map((time) => time * 1000),
            step,
            locale,
          ),
        space: 96,
        grid: { show: false },
      },
      {
        ...axis,
        size: 56,
        incrs: tickSteps,
        values: (_plot, values, _axis, _space, step) => values.map((value) => tickText(kind, value, step, locale)),
        // A small chart has one tick above nought, whatever its top.
        space: (_plot, _axis, _min, _max, height) => Math.min(36, height * 0.4),
      },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: resolve(one.color),
        width: 1.5,
        points: { show: false },
        ...(one.dash ? { dash: [4, 4] } : {}),
        ...(one.fill ? { fill: `${resolve(one.color)}1f` } : {}),
      })),
    ],
    hooks: {
      drawClear: [(chart) => drawGaps(chart, latest.current.gaps ?? [], resolve("var(--ink-3)"))],
      draw: [(chart) => drawMarks(chart, latest.current.marks ?? [], resolve), onPlaced],
      setCursor: [readout(text, words, latest)],
    },
  };
}

/** Below the lines, so that none of them is crossed out. */
function drawGaps(chart: uPlot, gaps: readonly ChartGap[], color: string): void {
  const { ctx, bbox } = chart;
  const place = (ms: number) =>
    Math.min(bbox.left + bbox.width, Math.max(bbox.left, chart.valToPos(ms / 1000, "x", true)));
  for (const { fromMs, toMs } of gaps) {
    const [left, right] = [place(fromMs), place(toMs)];
    if (right - left < 1) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.strokeStyle = `${color}66`;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    const step = 7 * devicePixelRatio;
    for (let x = left - bbox.height; x < right; x += step) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
}

function drawMarks(chart: uPlot, marks: readonly ChartMark[], resolve: (color: string) => string): void {
  const { ctx, bbox } = chart;
  for (const mark of marks) {
    const x = chart.valToPos(mark.atMs / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.fillStyle = resolve(mark.color);
    ctx.fillRect(Math.round(x), bbox.top, Math.max(1, devicePixelRatio), bbox.height);
  }
}

function readout(
  text: (value: number | null) => string,
  { locale, unrecorded }: Words,
  latest: { current: LiveChartProps },
) {
  let box: HTMLElement | null = null;
  return (chart: uPlot) => {
    box ??= chart.over.appendChild(Object.assign(document.createElement("div"), { className: styles.readout ?? "" }));
    const index = chart.cursor.idx;
    box.hidden = index === null || index === undefined;
    if (index === null || index === undefined) return;
    const time = chart.data[0][index];
    const { gaps = [], stepSec } = latest.current;
    const isKnown = chart.data.slice(1).some((values) => (values[index] ?? null) !== null);
    const step = { fromMs: (time ?? 0) * 1000, toMs: ((time ?? 0) + stepSec) * 1000 };
    const lines = chart.series.slice(1).map((one, i) => ({
      label: String(one.label),
      value: text(chart.data[i + 1]?.[index] ?? null),
      stroke: one.stroke,
    }));
    box.replaceChildren(
      line(time === undefined ? "" : formatMoment(time * 1000, locale, stepSec < 600), "", null),
      ...(!isKnown && touchesGap(gaps, step)
        ? [line(unrecorded, "", null)]
        : lines.map(({ label, value, stroke }) =>
            line(label, value, typeof stroke === "function" ? String(stroke(chart, 1)) : null),
          )),
    );
    const right = (chart.cursor.left ?? 0) > chart.over.clientWidth / 2;
    box.style.left = right ? "8px" : "auto";
    box.style.right = right ? "auto" : "8px";
  };
}

function line(label: string, value: string, color: string | null): HTMLElement {
  const row = document.createElement("div");
  const name = Object.assign(document.createElement("span"), { textContent: label });
  if (color) name.style.color = color;
  row.append(name, Object.assign(document.createElement("b"), { textContent: value }));
  return row;
}
