"use client";
import { useDebouncedValue } from "@mantine/hooks";
import { use } from "react";
import { useTranslations } from "use-intl";
import type { ApplicationLogPage, LogPage } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { topologyHref } from "../lib/links.ts";
import { useUrlState } from "../lib/url-state.ts";
import { NoMatch } from "../list/no-match.tsx";
import { Link } from "../ui/link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { EmptyState } from "../ui/states.tsx";
import { rangeNames } from "../ui/time-range.ts";
import { ApplicationForm, NoLines } from "./application-form.tsx";
import { applicationParams, applicationQuery } from "./application-query.ts";
import { ApplicationTable } from "./application-table.tsx";
import { FollowButtons, LineList, TailState, useFollowing } from "./following.tsx";
import { LogForm } from "./log-form.tsx";
import { logParams, logQuery } from "./log-query.ts";
import { LogTable } from "./log-table.tsx";
import { applicationLines, requestLines } from "./use-logs.ts";

export interface LogsPageProps {
  /** Of what is shown: requests, or applications' lines. */
  initialQuery: string;
  logs: Promise<Settled<LogPage> | undefined>;
  applications: Promise<Settled<ApplicationLogPage> | undefined>;
}

/** Requests as the proxies told of them, or what applications wrote. Which is in the URL. */
export function LogsPage({ initialQuery, logs, applications }: LogsPageProps) {
  const isApplications = useUrlState().get("show") === "applications";
  const [requests, lines] = [use(logs), use(applications)];
  return isApplications ? (
    <Applications initialQuery={initialQuery} initial={lines} />
  ) : (
    <Requests initialQuery={initialQuery} initial={requests} />
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
  const kept = Object.fromEntries((["trace", ...rangeNames] as const).map((name) => [name, url.get(name)]));
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
  const [query] = useDebouncedValue(
    logQuery((name) => url.get(name)),
    250,
  );
  const following = useFollowing(requestLines, query, query === initialQuery ? initial : undefined);
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <Shows />
        <FollowButtons following={following} />
      </PageHeader>
      <LogForm />
      <div ref={following.top} />
      <Panel flush title={t("requests")} hint={t("kept")} actions={<TailState following={following} />}>
        <LineList state={following.state} columns={6} nothing={<Nothing />}>
          {(entries) => <LogTable entries={entries} opened={url.get("open")} onPoint={following.setPointed} />}
        </LineList>
      </Panel>
    </Page>
  );
}

/** What applications wrote, searched by what they said; in the URL likewise. */
function Applications({
  initialQuery,
  initial,
}: {
  initialQuery: string;
  initial: Settled<ApplicationLogPage> | undefined;
}) {
  const t = useTranslations("logs");
  const url = useUrlState();
  const [query] = useDebouncedValue(
    applicationQuery((name) => url.get(name)),
    250,
  );
  const following = useFollowing(applicationLines, query, query === initialQuery ? initial : undefined);
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("applications-says")}>
        <Shows />
        <FollowButtons following={following} />
      </PageHeader>
      <ApplicationForm />
      <div ref={following.top} />
      <Panel
        flush
        title={t("applications")}
        hint={t("applications-hint")}
        actions={<TailState following={following} />}
      >
        <LineList state={following.state} columns={4} nothing={<NoLines />}>
          {(lines) => (
            <ApplicationTable
              lines={lines}
              opened={url.get("open")}
              onOpen={(open) => url.set({ open }, "push")}
              onPoint={following.setPointed}
            />
          )}
        </LineList>
      </Panel>
    </Page>
  );
}

function Nothing() {
  const t = useTranslations("logs");
  const url = useUrlState();
  if (logParams.some((name) => url.get(name))) return <NoMatch title={t("no-match")} filters={logParams} />;
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
