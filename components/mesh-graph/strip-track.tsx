"use client";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Change, Graph } from "../../server/contract/index.ts";
import { formatMoment } from "../ui/format.ts";
import { areaUnder, linePath } from "../ui/sparkline.tsx";
import { knownRates, momentOf, type Span } from "./replay.ts";
import { StripHover } from "./strip-hover.tsx";
import { Marks } from "./strip-mark.tsx";
import { stripMoment } from "./strip-moment.ts";
import styles from "./time-strip.module.css";
import type { TopologyState } from "./use-topology-state.ts";

export const spanOf = ({ timeline: { fromMs, stepSec, requestRate } }: Graph): Span => ({
  from: fromMs,
  to: fromMs + Math.max(1, requestRate.length) * stepSec * 1000,
  stepMs: stepSec * 1000,
});

const height = 30;
/** As near as a mark must be to be pointed at. */
const nearPx = 6;
/** A drag asks for a moment so often at the most: each is a read, and an address. */
const paceMs = 120;

export interface TrackProps {
  graph: Graph;
  span: Span;
  /** Within the span. */
  changes: readonly Change[];
  state: TopologyState;
}

/** The strip itself: a slider over time. Dragged or moved by key, it replays a moment; Escape goes back to live. */
export function Track({ graph, span, changes, state }: TrackProps) {
  const t = useTranslations("strip");
  const locale = useLocale();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const drag = useDrag((at) => state.set({ at: at === null ? null : String(at) }));
  const at = drag.at === undefined ? state.moment : drag.at;
  const now = at ?? span.to;
  const momentAt = (ms: number) => momentOf(ms, span);
  const [hover, setHover] = useState<number | null>(null);
  const choose = (ms: number) => state.set({ at: momentAt(ms)?.toString() ?? null });
  const onPointer = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const ms = span.from + ((event.clientX - box.left) / box.width) * (span.to - span.from);
    const drags = drag.at !== undefined || event.type === "pointerdown";
    setHover(drags || event.pointerType === "touch" ? null : Math.min(span.to, Math.max(span.from, ms)));
    if (drags) drag.move(momentAt(ms));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const side = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (side !== undefined && event.shiftKey) choose(nextChange(changes, now, side) ?? now);
    else if (side !== undefined) choose(now + side * span.stepMs);
    else if (event.key === "Home") choose(span.from);
    else if (event.key === "End" || event.key === "Escape") state.set({ at: null });
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={ref}
      className={styles.track}
      role="slider"
      tabIndex={0}
      aria-label={t("label")}
      aria-valuemin={span.from}
      aria-valuemax={span.to}
      aria-valuenow={Math.min(span.to, Math.max(span.from, now))}
      aria-valuetext={at === null ? t("live") : formatMoment(at, locale)}
      data-testid="time-strip"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        onPointer(event);
      }}
      onPointerMove={onPointer}
      onPointerLeave={() => setHover(null)}
      onPointerUp={drag.end}
      onPointerCancel={drag.end}
      onKeyDown={onKeyDown}
    >
      <Traffic timeline={graph.timeline} span={span} width={width} />
      <Marks changes={changes} at={at} xOf={(ms) => share(ms, span) * width} width={width} />
      {hover !== null && width > 0 && (
        <StripHover
          moment={stripMoment(graph, span, changes, { ms: hover, nearMs: (nearPx / width) * (span.to - span.from) })}
          at={share(hover, span)}
        />
      )}
      {at !== null && (
        <i
          className={styles.cursor}
          data-late={share(at, span) > 0.8 || undefined}
          style={{ left: `${share(at, span) * 100}%` }}
        >
          <small>{formatMoment(at, locale)}</small>
        </i>
      )}
    </div>
  );
}

/** The change before or after a moment, a moment past it, so that the graph shows what it did. */
function nextChange(changes: readonly Change[], now: number, side: number): number | null {
  const others = changes.map((change) => change.at).filter((at) => (side < 0 ? at < now - 1000 : at > now + 1000));
  if (others.length === 0) return null;
  return side < 0 ? Math.max(...others) : Math.min(...others);
}

/** The moment under the pointer at once, and told on at a bearable pace; the last one always. */
function useDrag(onMoment: (at: number | null) => void) {
  const [at, setAt] = useState<number | null | undefined>(undefined);
  const told = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (moment: number | null) => {
    told.current = Date.now();
    onMoment(moment);
  };
  return {
    at,
    move(moment: number | null) {
      setAt(moment);
      clearTimeout(timer.current);
      const wait = told.current + paceMs - Date.now();
      if (wait <= 0) tell(moment);
      else timer.current = setTimeout(() => tell(moment), wait);
    },
    end() {
      if (at === undefined) return;
      clearTimeout(timer.current);
      tell(at);
      setAt(undefined);
    },
  };
}

const share = (ms: number, { from, to }: Span): number => Math.min(1, Math.max(0, (ms - from) / (to - from)));

/** Requests per second, and how many of them failed; hatched where there is no record. */
function Traffic({ timeline, span, width }: { timeline: Graph["timeline"]; span: Span; width: number }) {
  const t = useTranslations("strip");
  const { requestRate, errorShare, recordedFromMs, fromMs, gaps = [] } = timeline;
  const first = Math.max(0, Math.floor((recordedFromMs - fromMs) / span.stepMs));
  const top = Math.max(1, ...requestRate) * 1.15;
  const known = knownRates(timeline, first);
  const step = width / Math.max(1, requestRate.length - 1);
  const start = first * step;
  const rate = linePath(known, width, height, top);
  const failed = requestRate.flatMap((value, i) => {
    const part = (value * (errorShare[i] ?? 0)) / top;
    return i < first ? [] : [`${(i * step).toFixed(1)},${(height - part * height).toFixed(1)}`];
  });
  return (
    <>
      {gaps.map((gap) => {
        const [from, to] = [share(gap.fromMs, span) * width, share(gap.toMs, span) * width];
        if (to - from < 1) return null;
        return (
          <i
            key={gap.fromMs}
            className={styles.unrecorded}
            style={{ left: from, width: to - from }}
            title={t("gap")}
            data-testid="strip-gap"
          />
        );
      })}
      {first > 0 && (
        <i
          className={styles.unrecorded}
          style={{ width: start }}
          title={t("unrecorded")}
          data-testid="strip-unrecorded"
        />
      )}
      <svg className={styles.traffic} width={width} height={height} aria-hidden="true">
        <path d={areaUnder(rate, height)} fill="var(--ink-3)" opacity={0.14} />
        <path d={rate} fill="none" stroke="var(--ink-3)" strokeWidth={1.2} />
        {errorShare.some((value) => value > 0) && (
          <path
            d={areaUnder(failed.length > 0 ? `M${failed.join("L")}` : "", height)}
            fill="var(--bad)"
            opacity={0.55}
          />
        )}
      </svg>
    </>
  );
}
