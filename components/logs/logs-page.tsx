"use client";
import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import Link from "next/link";
import { use, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { ApplicationLogPage, LogPage } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { topologyHref } from "../lib/links.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import { ApplicationLines } from "./application-lines.tsx";
import { applicationParams } from "./application-query.ts";
import { LogForm } from "./log-form.tsx";
import { type LogParam, logParams, logQuery } from "./log-query.ts";
import { LogTable } from "./log-table.tsx";
import styles from "./logs.module.css";
import { type LogsState, useLogs } from "./use-logs.ts";

export interface LogsPageProps {
  /** Of what is shown: requests, or applications' lines. */
  initialQuery: string;
  logs: Promise<Settled<LogPage> | undefined>;
  applications: Promise<Settled<ApplicationLogPage> | undefined>;
}

/** Requests as the proxies told of them, or what applications wrote. Which is in the URL. */
export function LogsPage({ initialQuery, logs, applications }: LogsPageProps) {
  const t = useTranslations("logs");
  const isApplications = useUrlState().get("show") === "applications";
  const [requests, lines] = [use(logs), use(applications)];
  if (!isApplications) return <Requests initialQuery={initialQuery} initial={requests} />;
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("applications-says")}>
        <Shows />
      </PageHeader>
      <ApplicationLines initial={lines} initialQuery={initialQuery} />
    </Page>
  );
}

/** The two kinds of lines; what is searched for in the one means nothing in the other. */
function Shows() {
  const t = useTranslations("logs");
  const url = useUrlState();
  const isApplications = url.get("show") === "applications";
  const none = Object.fromEntries(
    [...logParams, ...applicationParams, "open", "live", "more"].map((name) => [name, null]),
  );
  const kept = { trace: url.get("trace"), window: url.get("window") };
  return (
    <>
      <PillButton
        pressed={!isApplications}
        onClick={() => url.set({ ...none, ...kept, show: null }, "push")}
        data-testid="show-requests"
      >
        {t("requests")}
      </PillButton>
      <PillButton
        pressed={isApplications}
        onClick={() => url.set({ ...none, ...kept, show: "applications" }, "push")}
        data-testid="show-applications"
      >
        {t("applications")}
      </PillButton>
    </>
  );
}

/** Requests, one by one. What is searched for, whether new ones are followed and which is opened is in the URL. */
function Requests({ initialQuery, initial }: { initialQuery: string; initial: Settled<LogPage> | undefined }) {
  const t = useTranslations("logs");
  const url = useUrlState();
  const written = logQuery((name) => url.get(name));
  const [query] = useDebouncedValue(written, 250);
  const follow = url.get("live") === "1" && url.get("to") === null;
  const opened = url.get("open");
  const [stopped, setStopped] = useState(false);
  const [pointed, setPointed] = useState(false);
  const top = useRef<HTMLDivElement>(null);
  const scrolled = useIsAway(top);
  const state = useLogs(query, {
    follow,
    hold: stopped || pointed || scrolled || opened !== null,
    initial: query === initialQuery ? initial : undefined,
  });
  const showNew = () => {
    setStopped(false);
    setPointed(false);
    url.set({ open: null });
    top.current?.scrollIntoView({ block: "center" });
  };
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <Shows />
        {follow && (
          <PillButton pressed={stopped} onClick={() => setStopped(!stopped)} data-testid="logs-pause">
            {t(stopped ? "resume" : "pause")}
          </PillButton>
        )}
        <PillButton
          pressed={follow}
          disabled={url.get("to") !== null}
          title={url.get("to") === null ? t("live-says") : t("live-never")}
          onClick={() => url.set({ live: follow ? null : "1" })}
          data-testid="logs-live"
        >
          {t("live")}
        </PillButton>
        {!follow && <PillButton onClick={state.page.refresh}>{t("refresh")}</PillButton>}
      </PageHeader>
      <LogForm />
      <div ref={top} />
      <Panel flush title={t("requests")} hint={t("kept")} actions={<TailState state={state} onShow={showNew} />}>
        <Lines state={state} opened={opened} onPoint={setPointed} />
      </Panel>
    </Page>
  );
}

/** Whether following works, and how many lines wait. A place of its own, so that nothing moves when it changes. */
function TailState({ state, onShow }: { state: LogsState; onShow: () => void }) {
  const t = useTranslations("logs");
  if (state.tail === null) return null;
  return (
    <span className={styles.tail} data-testid="logs-tail" data-state={state.tail}>
      {state.heldCount > 0 ? (
        <PillButton tone="accent" onClick={onShow} data-testid="logs-held">
          {t("held", { count: state.heldCount })}
        </PillButton>
      ) : (
        <span role="status">{t(`tail-${state.tail}`)}</span>
      )}
    </span>
  );
}

function Lines({
  state,
  opened,
  onPoint,
}: {
  state: LogsState;
  opened: string | null;
  onPoint: (inside: boolean) => void;
}) {
  const t = useTranslations("logs");
  const textOf = useErrorText();
  const { page, entries, next } = state;
  return (
    <LiveContent
      live={page}
      unreadable={t("unreadable")}
      skeleton={<TableSkeleton rows={20} columns={6} rowHeight={37} />}
    >
      {() =>
        entries.length === 0 ? (
          <Nothing />
        ) : (
          <>
            <LogTable entries={entries} opened={opened} onPoint={onPoint} />
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

const narrowing = logParams.filter((name): name is LogParam => name !== "window");

function Nothing() {
  const t = useTranslations("logs");
  const url = useUrlState();
  if (narrowing.some((name) => url.get(name))) return <NoMatch title={t("no-match")} filters={narrowing} />;
  return (
    <EmptyState
      title={t("empty")}
      action={
        <Link className="link" href={topologyHref}>
          {t("to-topology")}
        </Link>
      }
    >
      {t("empty-text")}
    </EmptyState>
  );
}

/** Whether the reader has scrolled past it. */
function useIsAway(place: React.RefObject<HTMLElement | null>): boolean {
  const [isAway, setIsAway] = useState(false);
  useEffect(() => {
    if (!place.current) return;
    const observer = new IntersectionObserver(([entry]) => setIsAway(entry ? !entry.isIntersecting : false));
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [place]);
  return isAway;
}
