"use client";
import { CopyButton } from "@mantine/core";
import { IconChevronLeft, IconDownload, IconLink, IconListDetails, IconTopologyStar3 } from "@tabler/icons-react";
import { use, useMemo } from "react";
import { useTranslations } from "use-intl";
import { findService, type Trace } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { serviceHref, traceHref, traceLogsHref, traceOnGraphHref, tracesHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { useServices } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { useLinesOfTrace } from "../logs/application-queries.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Kpi } from "../ui/kpi.tsx";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { Pill, PillButton } from "../ui/pill.tsx";
import { Moment, NumberWithUnit } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import { ComparePanel } from "./compare-panel.tsx";
import { logMarks } from "./log-marks.ts";
import { SpanSheet } from "./span-sheet.tsx";
import styles from "./trace.module.css";
import { useTrace } from "./trace-queries.ts";
import { Waterfall, WaterfallLegend } from "./waterfall.tsx";

/** One request on its way through the mesh. The opened span and the trace it is compared with are in the URL. */
export function TracePage({ id, trace }: { id: string; trace: Promise<Settled<Trace>> }) {
  const t = useTranslations("traces");
  const url = useUrlState();
  const live = useTrace(id, use(trace));
  // A line of an application knows the span by its own id.
  const [spanId, at] = [url.get("span"), url.get("at")];
  const opened = live.data?.tree.find((span) => (spanId === null ? span.spanId === at : span.id === spanId));
  return (
    <div className={styles.split}>
      <div className={styles.body}>
        <Page>
          <Header id={id} live={live} />
          {live.data === undefined && live.error?.code === "NOT_FOUND" ? (
            <EmptyState
              title={t("unknown")}
              action={
                <Link className="link" href={tracesHref}>
                  {t("to-traces")}
                </Link>
              }
            >
              {t("unknown-text")}
            </EmptyState>
          ) : (
            <LiveContent
              live={live}
              unreadable={t("one-unreadable")}
              skeleton={<TableSkeleton rows={12} columns={2} rowHeight={28} />}
            >
              {(data) => <Content trace={data} opened={opened?.id ?? null} />}
            </LiveContent>
          )}
        </Page>
      </div>
      {opened && live.data && (
        <SpanSheet span={opened} trace={live.data} onClose={() => url.set({ span: null, at: null })} />
      )}
    </div>
  );
}

function Header({ id, live }: { id: string; live: Live<Trace> }) {
  const t = useTranslations("traces");
  const root = live.data?.root;
  return (
    <PageHeader
      before={
        <Link href={tracesHref} aria-label={t("to-traces")}>
          <IconChevronLeft size={18} aria-hidden />
        </Link>
      }
      title={
        <span className={styles.id}>{root ? `${root.service} ${root.name}` : t("trace", { id: id.slice(0, 8) })}</span>
      }
      hint={<span className={`mono ${styles.id}`}>{id}</span>}
    >
      {live.data && (
        <Pill href={traceOnGraphHref(id, endOfWindow(live.data))} data-testid="trace-graph">
          <IconTopologyStar3 size={14} aria-hidden /> {t("on-graph")}
        </Pill>
      )}
      <Pill href={traceLogsHref(id)} data-testid="trace-logs">
        <IconListDetails size={14} aria-hidden /> {t("logs")}
      </Pill>
      <CopyButton value={typeof window === "undefined" ? "" : new URL(traceHref(id), window.location.origin).href}>
        {({ copied, copy }) => (
          <PillButton onClick={copy} data-testid="trace-permalink">
            <IconLink size={14} aria-hidden /> {copied ? t("copied") : t("permalink")}
          </PillButton>
        )}
      </CopyButton>
      {live.data && (
        <a className={styles.download} href={`/api/traces/${id}?download`} download data-testid="trace-download">
          <IconDownload size={14} aria-hidden /> {t("download")}
        </a>
      )}
    </PageHeader>
  );
}

/** Half a minute after it: the graph's window has what was about it. Of one that has just been, the live graph. */
function endOfWindow({ startMs, durationMs }: Trace): number | undefined {
  const end = Math.floor((startMs + durationMs) / 1000) * 1000 + 30_000;
  return end > Date.now() ? undefined : end;
}

function Content({ trace, opened }: { trace: Trace; opened: string | null }) {
  const t = useTranslations("traces");
  const url = useUrlState();
  const lines = useLinesOfTrace(trace.traceId).data?.entries;
  const marks = useMemo(() => logMarks(trace, lines ?? []), [trace, lines]);
  return (
    <>
      <dl className={styles.figures} data-testid="trace-figures">
        <Kpi label={t("col-duration")}>
          <NumberWithUnit value={trace.durationMs} kind="ms" />
        </Kpi>
        <Kpi label={t("col-spans")}>{trace.spans}</Kpi>
        <Kpi label={t("col-services")}>{trace.services.length}</Kpi>
        <Kpi label={t("col-errors")} tone={trace.errors > 0 ? "bad" : "plain"}>
          {trace.errors}
        </Kpi>
        <Kpi label={t("col-start")}>
          <Moment ms={trace.startMs} />
        </Kpi>
      </dl>
      <div className={styles.stack}>
        <Panel flush>
          <Waterfall trace={trace} opened={opened} onOpen={(span) => url.set({ span })} marks={marks} />
          <WaterfallLegend />
        </Panel>
        <Panel title={t("by-service")} flush data-testid="trace-totals">
          <Totals trace={trace} />
        </Panel>
        <ComparePanel trace={trace} />
      </div>
    </>
  );
}

type Total = Trace["totals"][number];

function Totals({ trace }: { trace: Trace }) {
  const t = useTranslations("traces");
  const columns: Column<Total>[] = [
    { key: "service", header: t("service"), phone: "title", cell: ({ service }) => <ServiceLink service={service} /> },
    { key: "spans", header: t("col-spans"), align: "right", cell: ({ spans }) => <span className="num">{spans}</span> },
    {
      key: "errors",
      header: t("col-errors"),
      align: "right",
      cell: ({ errors }) => <span className={errors > 0 ? `num ${styles.more}` : "num"}>{errors}</span>,
    },
    {
      key: "self",
      header: t("self"),
      align: "right",
      cell: ({ selfUs }) => <NumberWithUnit value={selfUs / 1000} kind="ms" />,
    },
    {
      key: "critical",
      header: t("critical"),
      align: "right",
      cell: ({ criticalUs }) => <NumberWithUnit value={criticalUs / 1000} kind="ms" />,
    },
  ];
  return (
    <DataTable caption={t("by-service")} columns={columns} rows={trace.totals} rowKey={({ service }) => service} />
  );
}

/** A proxy names its service `<app>.<namespace>`; an application as it likes. */
function ServiceLink({ service }: { service: string }) {
  const known = useServices(defaultWindowSec).data?.services ?? [];
  const [name = "", namespace = "", ...more] = service.split(".");
  const found = more.length === 0 ? findService(known, namespace, name) : undefined;
  if (!found) return service;
  return (
    <ObjectLink className="link" href={serviceHref(found)}>
      {service}
    </ObjectLink>
  );
}
