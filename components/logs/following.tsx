"use client";
import { Button } from "@mantine/core";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { Settled } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { PillButton } from "../ui/pill.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { Notice } from "../ui/states.tsx";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { defaultLogWindow } from "./log-query.ts";
import type { Line, LinePage } from "./log-rows.ts";
import styles from "./logs.module.css";
import { type LineSource, type LogsState, useLogs } from "./use-logs.ts";

export interface Following<L extends Line> {
  state: LogsState<L>;
  follow: boolean;
  stopped: boolean;
  setStopped: (stopped: boolean) => void;
  /** Whether the pointer is over the lines. */
  setPointed: (inside: boolean) => void;
  /** The beginning of the list. */
  top: RefObject<HTMLDivElement | null>;
  showNew: () => void;
}

/** Lines of a kind, followed when the address says so; new ones wait while somebody reads. */
export function useFollowing<L extends Line>(
  source: LineSource<L>,
  query: string,
  initial: Settled<LinePage<L>> | undefined,
): Following<L> {
  const url = useUrlState();
  const hasEnd = useUrlRange().range.at !== null;
  const follow = url.get("live") === "1" && !hasEnd;
  const [stopped, setStopped] = useState(false);
  const [pointed, setPointed] = useState(false);
  const top = useRef<HTMLDivElement>(null);
  const scrolled = useIsAway(top);
  const hold = stopped || pointed || scrolled || url.get("open") !== null;
  const state = useLogs(source, query, { follow, hold, initial });
  const showNew = () => {
    setStopped(false);
    setPointed(false);
    url.set({ open: null });
    top.current?.scrollIntoView({ block: "center" });
  };
  return { state, follow, stopped, setStopped, setPointed, top, showNew };
}

/** Of which time lines are, and whether they are followed, held or read again. */
export function FollowButtons<L extends Line>({ following }: { following: Following<L> }) {
  const t = useTranslations("logs");
  const url = useUrlState();
  const { range, set } = useUrlRange(defaultLogWindow);
  const hasEnd = range.at !== null;
  const { follow, stopped, setStopped, state } = following;
  return (
    <>
      <TimeRangePicker value={range} onChange={set} />
      {follow && (
        <PillButton pressed={stopped} onClick={() => setStopped(!stopped)} data-testid="logs-pause">
          {t(stopped ? "resume" : "pause")}
        </PillButton>
      )}
      <PillButton
        pressed={follow}
        disabled={hasEnd}
        title={t(hasEnd ? "live-never" : "live-says")}
        onClick={() => url.set({ live: follow ? null : "1" })}
        data-testid="logs-live"
      >
        {t("live")}
      </PillButton>
      {!follow && <PillButton onClick={state.page.refresh}>{t("refresh")}</PillButton>}
    </>
  );
}

/** Whether following works, and how many lines wait. A place of its own, so that nothing moves when it changes. */
export function TailState<L extends Line>({ following: { state, showNew } }: { following: Following<L> }) {
  const t = useTranslations("logs");
  if (state.tail === null) return null;
  return (
    <span className={styles.tail} data-testid="logs-tail" data-state={state.tail}>
      {state.heldCount > 0 ? (
        <PillButton tone="accent" onClick={showNew} data-testid="logs-held">
          {t("held", { count: state.heldCount })}
        </PillButton>
      ) : (
        <span role="status">{t(`tail-${state.tail}`)}</span>
      )}
    </span>
  );
}

/** What is shown of the lines, and a way to older ones. */
export function LineList<L extends Line>({
  state,
  columns,
  nothing,
  children,
}: {
  state: LogsState<L>;
  columns: number;
  nothing: ReactNode;
  children: (entries: L[]) => ReactNode;
}) {
  const t = useTranslations("logs");
  const textOf = useErrorText();
  const { page, entries, next } = state;
  return (
    <LiveContent
      live={page}
      unreadable={t("unreadable")}
      skeleton={<TableSkeleton rows={20} columns={columns} rowHeight={37} />}
    >
      {() =>
        entries.length === 0 ? (
          nothing
        ) : (
          <>
            {children(entries)}
            {state.olderError && <Notice tone="warn">{textOf(state.olderError)}</Notice>}
            <div className={styles.end}>
              {next === null ? (
                <span className="muted">{t("end", { count: entries.length })}</span>
              ) : (
                <Button
                  variant="default"
                  size="xs"
                  loading={state.isLoading}
                  onClick={state.loadOlder}
                  data-testid="logs-older"
                >
                  {t("older")}
                </Button>
              )}
            </div>
          </>
        )
      }
    </LiveContent>
  );
}

/** Whether the reader has scrolled past it. */
function useIsAway(place: RefObject<HTMLElement | null>): boolean {
  const [isAway, setIsAway] = useState(false);
  useEffect(() => {
    if (!place.current) return;
    const observer = new IntersectionObserver(([entry]) => setIsAway(entry ? !entry.isIntersecting : false));
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [place]);
  return isAway;
}
