"use client";
import { Button } from "@mantine/core";
import { IconBolt } from "@tabler/icons-react";
import { use } from "react";
import { useTranslations } from "use-intl";
import { type ChangeList, type FaultList, findService, serviceTitle } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { objectHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import { useFaults, useServices } from "../lib/queries.ts";
import { IfMay, useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { FilterInput } from "../list/filter-input.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { useFilter } from "../list/use-filter.ts";
import { NoServices } from "../services/no-services.tsx";
import { DangerButton } from "../ui/danger-button.tsx";
import type { Column } from "../ui/data-table.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import styles from "./fault.module.css";
import { type FaultRow, serviceKey, useFaultColumns } from "./fault-columns.tsx";
import { parseSource } from "./fault-draft.ts";
import { startOf } from "./fault-history.ts";
import { FaultHistoryPanel } from "./fault-history-panel.tsx";
import { FaultModal } from "./fault-modal.tsx";
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
  const may = useMay();
  const live = useFaults(use(faults));
  const recent = use(changes);
  const [namespace, name] = (url.get("new") ?? "").split("/");
  const chosen = namespace && name ? { namespace, name } : null;
  const services = useServices(defaultWindowSec, undefined, chosen !== null).data?.services ?? [];
  const known = chosen && findService(services, chosen.namespace, chosen.name);
  const open = url.get("new") !== null || url.get("fault") === "new";
  const inject = () => url.set({ fault: "new" }, "push");
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <FilterInput label={t("filter")} data-testid="fault-filter" />
        <IfMay as="operator">
          <DangerButton leftSection={<IconBolt size={15} aria-hidden />} onClick={inject} data-testid="inject-fault">
            {t("inject")}
          </DangerButton>
        </IfMay>
      </PageHeader>
      <div className={styles.stack}>
        <Panel flush>
          <Burning live={live} onInject={inject} />
        </Panel>
        <FaultHistoryPanel initial={recent} />
      </div>
      {open && may("operator") && (
        <FaultModal
          service={known ? { namespace: known.namespace, name: known.hostname } : chosen}
          {...(known && { title: serviceTitle(known) })}
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
  const matches = useFilter();
  const { data: mesh } = useMeshStatus();
  const columns = useColumns(useServerNow(live));
  return (
    <LiveContent
      live={live}
      unreadable={t("unreadable")}
      skeleton={<TableSkeleton rows={2} columns={6} rowHeight={51} />}
    >
      {({ faults }) => (
        <SortedTable
          caption={t("title")}
          columns={columns}
          rows={faults
            .filter((fault) => matches(serviceKey(fault)))
            .map((fault) => ({ fault, started: startOf(fault) }))}
          rowKey={({ fault }) => fault.id}
          defaultSort="left"
          rowProps={({ fault }) => ({ "data-fault": fault.id })}
          empty={
            mesh?.services === 0 ? (
              <NoServices />
            ) : faults.length === 0 ? (
              <EmptyState
                title={t("empty")}
                action={
                  <IfMay as="operator">
                    <Button onClick={onInject}>{t("inject")}</Button>
                  </IfMay>
                }
              >
                {t("empty-text")}
              </EmptyState>
            ) : (
              <NoMatch title={t("no-match")} filters={["filter"]} />
            )
          }
        />
      )}
    </LiveContent>
  );
}

function useColumns(now: number): Column<FaultRow>[] {
  const t = useTranslations("faults");
  return [
    ...useFaultColumns(({ namespace, virtualService }) => (
      <ObjectLink className="link" href={objectHref("VirtualService", namespace, virtualService)}>
        {t("by-hand", { object: virtualService })}
      </ObjectLink>
    )),
    {
      key: "left",
      header: t("col-left"),
      sortValue: ({ fault }) => fault.endsAt ?? Number.MAX_SAFE_INTEGER,
      cell: ({ fault }) => <FuseRing fuse={fuseAt(fault, now)} />,
    },
    { key: "stop", header: "", align: "right", cell: ({ fault }) => <StopFaultButton fault={fault} /> },
  ];
}
