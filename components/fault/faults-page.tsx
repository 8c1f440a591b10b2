"use client";
import { Button } from "@mantine/core";
import { IconBolt } from "@tabler/icons-react";
import Link from "next/link";
import { use } from "react";
import { useTranslations } from "use-intl";
import type { ChangeList, Fault, FaultList } from "../../server/contract/index.ts";
import { Moment } from "../config/moment.tsx";
import type { Settled } from "../lib/api.ts";
import { objectHref, serviceHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { useFaults } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { DangerButton } from "../ui/danger-button.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState, ErrorState, Notice } from "../ui/states.tsx";
import styles from "./fault.module.css";
import { parseSource } from "./fault-draft.ts";
import { FaultHistoryPanel } from "./fault-history-panel.tsx";
import { FaultModal } from "./fault-modal.tsx";
import { useFaultText } from "./fault-text.tsx";
import { fuseAt } from "./fuse.ts";
import { FuseRing } from "./fuse-ring.tsx";
import { StopFaultButton } from "./stop-button.tsx";
import { useServerNow } from "./use-now.ts";

export interface FaultsPageProps {
  faults: Promise<Settled<FaultList>>;
  changes: Promise<Settled<ChangeList>>;
}

/**
 * What is injected right now, whoever wrote it, and what was. `?new=<namespace>/<service>` (or `?fault=new`) opens the form;
 * `from=<namespace>/<app>[/<version>]` limits it to one caller.
 */
export function FaultsPage({ faults, changes }: FaultsPageProps) {
  const t = useTranslations("faults");
  const url = useUrlState();
  const live = useFaults(use(faults));
  const recent = use(changes);
  const [namespace, name] = (url.get("new") ?? "").split("/");
  const chosen = namespace && name ? { namespace, name } : null;
  const open = url.get("new") !== null || url.get("fault") === "new";
  const inject = () => url.set({ fault: "new" }, "push");
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <DangerButton leftSection={<IconBolt size={15} aria-hidden />} onClick={inject} data-testid="inject-fault">
          {t("inject")}
        </DangerButton>
      </PageHeader>
      <div className={styles.stack}>
        <Panel flush>
          <Burning live={live} onInject={inject} />
        </Panel>
        <FaultHistoryPanel initial={recent} />
      </div>
      {open && (
        <FaultModal
          service={chosen}
          from={parseSource(url.get("from"))}
          onChoose={(service) => url.set({ new: `${service.namespace}/${service.name}`, fault: null })}
          onClose={() => url.set({ new: null, fault: null, from: null })}
        />
      )}
    </Page>
  );
}

function Burning({ live, onInject }: { live: Live<FaultList>; onInject: () => void }) {
  const t = useTranslations("faults");
  const errors = useTranslations("error");
  const columns = useColumns(useServerNow(live));
  const { data, error, failingSince, refresh } = live;
  if (!data && error) {
    return (
      <ErrorState
        title={t("unreadable")}
        detail={error.message}
        since={failingSince}
        works={errors("works-CONTROL_PLANE_UNREACHABLE")}
        onRetry={refresh}
      />
    );
  }
  if (!data) return <TableSkeleton rows={2} columns={5} rowHeight={51} />;
  return (
    <>
      {error && <Notice tone="warn">{error.message}</Notice>}
      <DataTable
        caption={t("title")}
        columns={columns}
        rows={data.faults}
        rowKey={({ id }) => id}
        rowProps={({ id }) => ({ "data-fault": id })}
        empty={
          <EmptyState title={t("empty")} action={<Button onClick={onInject}>{t("inject")}</Button>}>
            {t("empty-text")}
          </EmptyState>
        }
      />
    </>
  );
}

function useColumns(now: number): Column<Fault>[] {
  const t = useTranslations("faults");
  const text = useFaultText();
  return [
    {
      key: "service",
      header: t("col-service"),
      phone: "title",
      cell: ({ namespace, service }) => (
        <>
          <Link className="link" href={serviceHref(namespace, service)}>
            {service}
          </Link>{" "}
          <span className="muted mono">{namespace}</span>
        </>
      ),
    },
    { key: "what", header: t("col-what"), phone: "title", cell: (fault) => text(fault) },
    {
      key: "matches",
      header: t("col-matches"),
      cell: ({ matches }) => (matches.length > 0 ? matches.join(t("or")) : t("every-request")),
    },
    {
      key: "author",
      header: t("col-author"),
      cell: ({ author, startedAt, namespace, virtualService }) =>
        author ? (
          <>
            {author} <span className="muted">{startedAt !== null && <Moment ms={startedAt} />}</span>
          </>
        ) : (
          <Link className="link" href={objectHref("VirtualService", namespace, virtualService)}>
            {t("by-hand", { object: virtualService })}
          </Link>
        ),
    },
    { key: "left", header: t("col-left"), cell: (fault) => <FuseRing fuse={fuseAt(fault, now)} /> },
    { key: "stop", header: "", align: "right", cell: (fault) => <StopFaultButton fault={fault} /> },
  ];
}
