"use client";
import { useElementSize } from "@mantine/hooks";
import { type CSSProperties, type KeyboardEvent, type PointerEvent, useRef } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Change, ChangeList, Graph } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useChanges } from "../lib/queries.ts";
import { formatTimeOfDay } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { PillButton } from "../ui/pill.tsx";
import { TimeOfDay } from "../ui/quantity.tsx";
import { linePath } from "../ui/sparkline.tsx";
import { placeMarks } from "./strip-marks.ts";
import styles from "./time-strip.module.css";
import type { TopologyState } from "./use-topology-state.ts";

export interface TimeStripProps {
  graph: Graph | undefined;
  /** The graph is being refreshed. */
  fresh: boolean;
  changes: Settled<ChangeList>;
  state: TopologyState;
}

const height = 30;

/** Time below the graph: the traffic, every config change and fault as a mark on it. Dragging it replays a moment. */
export function TimeStrip({ graph, fresh, changes, state }: TimeStripProps) {
  const t = useTranslations("strip");
  const live = state.at === null;
  const span = graph ? spanOf(graph) : null;
  return (
    <footer className={styles.strip}>
      <PillButton
        pressed={!live}
        onClick={() => state.set({ at: null })}
        data-testid="strip-live"
        disabled={live}
        className={styles.live}
      >
        <HealthMark health={live && fresh ? "healthy" : "idle"} silent />
        {live ? t("live") : t("to-live")}
      </PillButton>
      {graph && span ? (
        <Track graph={graph} span={span} changes={changes} state={state} />
      ) : (
        <div className={styles.track} />
      )}
      <span className={`${styles.span} mono`}>
        {span && (
          <>
            <TimeOfDay ms={span.from} seconds={span.to - span.from < 600_000} /> –{" "}
            <TimeOfDay ms={span.to} seconds={span.to - span.from < 600_000} />
          </>
        )}
      </span>
    </footer>
  );
}

interface Span {
  from: number;
  to: number;
  stepMs: number;
}

const spanOf = ({ timeline: { fromMs, stepSec, requestRate } }: Graph): Span => ({
  from: fromMs,
  to: fromMs + Math.max(1, requestRate.length) * stepSec * 1000,
  stepMs: stepSec * 1000,
});

function Track({
  graph,
  span,
  changes,
  state,
}: {
  graph: Graph;
  span: Span;
  changes: Settled<ChangeList>;
  state: TopologyState;
}) {
  const t = useTranslations("strip");
  const locale = useLocale();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const list = useChanges({ sinceMs: span.from, limit: 100 }, changes).data?.changes ?? [];
  const seen = list.filter(({ at }) => at >= span.from && at <= span.to);
  const dragging = useRef(false);
  const now = state.at ?? span.to;
  const choose = (ms: number) => {
    const at = Math.round(Math.max(span.from + span.stepMs, ms) / 1000) * 1000;
    state.set({ at: at >= span.to - span.stepMs ? null : String(at) });
  };
  const onPointer = (event: PointerEvent<HTMLDivElement>) => {
    if (!dragging.current) return;
    const box = event.currentTarget.getBoundingClientRect();
    choose(span.from + ((event.clientX - box.left) / box.width) * (span.to - span.from));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (step !== undefined) choose(now + step * span.stepMs);
    else if (event.key === "Home") choose(span.from);
    else if (event.key === "End") state.set({ at: null });
    else return;
    event.preventDefault();
  };
  return (
    <>
      <ChangesInWords changes={seen} />
      <div
        ref={ref}
        className={styles.track}
        role="slider"
        tabIndex={0}
        aria-label={t("label")}
        aria-valuemin={span.from}
        aria-valuemax={span.to}
        aria-valuenow={now}
        aria-valuetext={state.at === null ? t("live") : formatTimeOfDay(state.at, locale)}
        data-testid="time-strip"
        onPointerDown={(event) => {
          dragging.current = true;
          event.currentTarget.setPointerCapture(event.pointerId);
          onPointer(event);
        }}
        onPointerMove={onPointer}
        onPointerUp={() => {
          dragging.current = false;
        }}
        onKeyDown={onKeyDown}
      >
        <Traffic timeline={graph.timeline} width={width} />
        <Marks changes={seen} span={span} width={width} />
        {state.at !== null && <i className={styles.cursor} style={{ left: `${share(state.at, span) * 100}%` }} />}
      </div>
    </>
  );
}

/** The marks in words: a slider's content is not read out. */
function ChangesInWords({ changes }: { changes: readonly Change[] }) {
  const t = useTranslations("strip");
  const locale = useLocale();
  return (
    <ol className="visually-hidden" data-testid="strip-changes">
      {changes.map((change) => (
        <li key={change.revision} data-kind={change.kind} suppressHydrationWarning>
          {t("mark", { time: formatTimeOfDay(change.at, locale), summary: change.summary, author: change.author })}
        </li>
      ))}
    </ol>
  );
}

const share = (ms: number, { from, to }: Span): number => Math.min(1, Math.max(0, (ms - from) / (to - from)));

function Traffic({ timeline, width }: { timeline: Graph["timeline"]; width: number }) {
  const top = Math.max(1, ...timeline.requestRate) * 1.15;
  const rate = linePath(timeline.requestRate, width, height, top);
  const step = width / Math.max(1, timeline.requestRate.length - 1);
  const failed = timeline.requestRate.map((value, i) => {
    const part = (value * (timeline.errorShare[i] ?? 0)) / top;
    return `${(i * step).toFixed(1)},${(height - part * height).toFixed(1)}`;
  });
  return (
    <svg className={styles.traffic} width={width} height={height} aria-hidden="true">
      <path d={`${rate}L${width},${height}L0,${height}Z`} fill="var(--ink-3)" opacity={0.14} />
      <path d={rate} fill="none" stroke="var(--ink-3)" strokeWidth={1.2} />
      {timeline.errorShare.some((value) => value > 0) && (
        <path d={`M${failed.join("L")}L${width},${height}L0,${height}Z`} fill="var(--bad)" opacity={0.55} />
      )}
    </svg>
  );
}

const colors: Record<Change["kind"], string> = {
  config: "var(--ink-3)",
  traffic: "var(--accent)",
  "fault-start": "var(--bad)",
  "fault-end": "var(--ok)",
};

function Marks({ changes, span, width }: { changes: readonly Change[]; span: Span; width: number }) {
  const t = useTranslations("strip");
  const locale = useLocale();
  const marks = placeMarks(
    changes.map((change) => ({ change, x: share(change.at, span) * width, text: change.summary })),
    width,
  );
  return marks.map(({ change, x, labelled, align }) => (
    <span
      key={change.revision}
      className={styles.mark}
      data-align={align}
      data-kind={change.kind}
      title={t("mark", { time: formatTimeOfDay(change.at, locale), summary: change.summary, author: change.author })}
      style={{ left: x, "--c": colors[change.kind] } as CSSProperties}
    >
      <small className={labelled ? undefined : "visually-hidden"}>{change.summary}</small>
    </span>
  ));
}
