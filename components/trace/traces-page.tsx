"use client";
import { useRouter } from "next/navigation";
import { use } from "react";
import { useTranslations } from "use-intl";
import { findService, type TraceList, type TraceSummary } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { traceHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import { useServices } from "../lib/queries.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import type { Column } from "../ui/data-table.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { Moment, NumberWithUnit } from "../ui/quantity.tsx";
import { SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { rangeNames, type TimeRange } from "../ui/time-range.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import { Heatmap } from "./heatmap.tsx";
import { Scatter } from "./scatter.tsx";
import { SearchForm } from "./search-form.tsx";
import { useTraces } from "./trace-queries.ts";
import { searchFields, traceSearch, traceWindowSec } from "./trace-search.ts";
import styles from "./traces.module.css";

export interface TracesPageProps {
  traces: Promise<Settled<TraceList> | undefined>;
  /** What the server has read: the API's query. */
  initialSearch: Record<string, string>;
}

/** Requests on their way through the mesh. What is searched for, and the order, are in the URL. */
export function TracesPage({ traces, initialSearch }: TracesPageProps) {
  const t = useTranslations("traces");
  const url = useUrlState();
  const { range, set } = useUrlRange(traceWindowSec);
  const first = use(traces);
  const search = traceSearch(url.get);
  const isFirst = new URLSearchParams(search).toString() === new URLSearchParams(initialSearch).toString();
  // Below the map of all requests the list stands still: each new trace would push all others down.
  const live = useTraces(search, isFirst ? first : undefined, url.get("view") !== "heat");
  return (
    <Page>
      <PageHeader title={t("title")} hint={<Hint />}>
        <TimeRangePicker value={range} onChange={set} />
      </PageHeader>
      <SearchForm />
      <Latency list={live.data} range={range} />
      <Found live={live} narrowed={narrowing.some((name) => url.get(name))} />
    </Page>
  );
}

const narrowing = [...searchFields, ...rangeNames];

/** That not every trace was kept, where the collector was told so. */
function Hint() {
  const t = useTranslations("traces");
  const sampling = useMeshStatus().data?.telemetry.collector?.sampling;
  if (!sampling) return t("hint");
  const { keptErrors: errors, keptSlow: slow, keptRandom: random, keptElsewhere: elsewhere } = sampling;
  const kept = errors + slow + random + elsewhere;
  const counts = { kept, errors, slow, random, elsewhere, dropped: sampling.droppedTraces };
  return <span data-testid="sampling">{t("sampling", counts)}</span>;
}

function Found({ live, narrowed }: { live: Live<TraceList>; narrowed: boolean }) {
  const t = useTranslations("traces");
  return (
    <div className={styles.stack}>
      <LiveContent
        live={live}
        unreadable={t("unreadable")}
        skeleton={
          <Panel>
            <SkeletonBlock height={190} />
            <TableSkeleton rows={10} columns={6} />
          </Panel>
        }
      >
        {(list) =>
          list.traces.length === 0 ? (
            <Panel flush>
              {narrowed ? (
                <NoMatch title={t("no-match")} filters={narrowing} />
              ) : (
                <EmptyState title={t("empty")}>{t("empty-text")}</EmptyState>
              )}
            </Panel>
          ) : (
            <TraceTable list={list} />
          )
        }
      </LiveContent>
    </div>
  );
}

/** Traces one by one, or all requests as a heatmap. */
function Latency({ list, range }: { list: TraceList | undefined; range: TimeRange }) {
  const t = useTranslations("traces");
  const url = useUrlState();
  const services = useServices(defaultWindowSec).data?.services ?? [];
  const isHeat = url.get("view") === "heat";
  const asked = url.get("service") ?? "";
  // Proxies name their service `<app>.<namespace>`; requests are counted by the host that was called.
  const [name = "", namespace = ""] = asked.split(".");
  const service = asked === "" ? undefined : (findService(services, namespace, name)?.hostname ?? asked);
  if (!isHeat && (!list || list.traces.length === 0)) return null;
  return (
    <div className={styles.latency}>
      <Panel>
        <div className={styles.views}>
          <PillButton pressed={!isHeat} onClick={() => url.set({ view: null, cell: null })} data-testid="view-traces">
            {t("title")}
          </PillButton>
          <PillButton pressed={isHeat} onClick={() => url.set({ view: "heat" })} data-testid="view-heat">
            {t("heat")}
          </PillButton>
        </div>
        {isHeat ? <Heatmap service={service} range={range} /> : list && <Scatter list={list} />}
      </Panel>
    </div>
  );
}

function TraceTable({ list }: { list: TraceList }) {
  const t = useTranslations("traces");
  const url = useUrlState();
  const router = useRouter();
  const columns = useColumns(Math.max(...list.traces.map(({ durationMs }) => durationMs)));
  const sort = url.get("sort") ?? "-start";
  return (
    <Panel
      title={t("found", { count: list.traces.length })}
      hint={list.full ? t("full", { count: list.traces.length }) : undefined}
      actions={
        <>
          <PillButton pressed={sort === "-start"} onClick={() => url.set({ sort: null })} data-testid="newest">
            {t("newest")}
          </PillButton>
          <PillButton
            pressed={sort === "-duration"}
            onClick={() => url.set({ sort: "-duration" })}
            data-testid="slowest"
          >
            {t("slowest")}
          </PillButton>
        </>
      }
      flush
    >
      <SortedTable
        caption={t("title")}
        columns={columns}
        rows={list.traces}
        rowKey={({ traceId }) => traceId}
        defaultSort="-start"
        atFirst={100}
        onRowClick={({ traceId }) => router.push(traceHref(traceId))}
        rowProps={({ traceId }) => ({ "data-trace": traceId })}
      />
    </Panel>
  );
}

function useColumns(longestMs: number): Column<TraceSummary>[] {
  const t = useTranslations("traces");
  return [
    {
      key: "root",
      header: t("col-root"),
      phone: "title",
      sortValue: ({ root }) => `${root.service} ${root.name}`,
      cell: ({ traceId, root, errors }) => (
        <ObjectLink className={styles.root} href={traceHref(traceId)}>
          {errors > 0 && <i className={styles.failed} role="img" aria-label={t("with-errors")} />}
          <b>{root.service}</b> <span className="muted">{root.name}</span>
        </ObjectLink>
      ),
    },
    {
      key: "duration",
      header: t("col-duration"),
      sortValue: ({ durationMs }) => durationMs,
      cell: ({ durationMs, errors }) => (
        <span className={styles.duration}>
          <span className={styles.bar} data-bad={errors > 0 || undefined} aria-hidden>
            <i style={{ width: `${Math.max(1, (durationMs / Math.max(longestMs, 0.001)) * 100)}%` }} />
          </span>
          <NumberWithUnit value={durationMs} kind="ms" />
        </span>
      ),
    },
    {
      key: "spans",
      header: t("col-spans"),
      align: "right",
      sortValue: ({ spans }) => spans,
      cell: ({ spans }) => <span className="num">{spans}</span>,
    },
    {
      key: "errors",
      header: t("col-errors"),
      align: "right",
      sortValue: ({ errors }) => errors,
      cell: ({ errors }) => <span className={errors > 0 ? `num ${styles.bad}` : "num"}>{errors}</span>,
    },
    {
      key: "services",
      header: t("col-services"),
      align: "right",
      sortValue: ({ services }) => services.length,
      cell: ({ services }) => (
        <span className="num" title={services.join(", ")}>
          {services.length}
        </span>
      ),
    },
    {
      key: "start",
      header: t("col-start"),
      align: "right",
      sortValue: ({ startMs }) => startMs,
      cell: ({ startMs }) => <Moment ms={startMs} />,
    },
  ];
}
