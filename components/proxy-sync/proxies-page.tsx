"use client";
import { TextInput } from "@mantine/core";
import { use } from "react";
import { useTranslations } from "use-intl";
import type { ProxyList, ProxySync } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import type { Live } from "../lib/live.ts";
import { useMeshStatus, useProxies } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { DataTable } from "../ui/data-table.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState, ErrorState, Notice } from "../ui/states.tsx";
import { ConfigDumpDrawer } from "./config-dump.tsx";
import { FleetFigures } from "./fleet-figures.tsx";
import styles from "./proxies.module.css";
import { useProxyColumns } from "./proxy-columns.tsx";
import { RefusedList } from "./refused-list.tsx";
import { filterProxies, type ProxyFilter, refusedResources } from "./sync-state.ts";

/** What each proxy holds. Filters, sorting and the opened proxy are in the URL. */
export function ProxiesPage({ initial }: { initial: Promise<Settled<ProxyList>> }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const live = useProxies(use(initial));
  const status = useMeshStatus();
  const kind = (["sidecar", "gateway"] as const).find((one) => one === url.get("kind")) ?? null;
  const filter: ProxyFilter = { kind, onlyOutOfSync: url.get("sync") === "out", text: url.get("filter") ?? "" };
  const opened = url.get("proxy");
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <Filters filter={filter} />
      </PageHeader>
      <FleetFigures proxies={live.data?.proxies} push={status.data?.lastPush ?? null} />
      <Panel flush>
        <Proxies live={live} filter={filter} opened={opened} />
      </Panel>
      {opened !== null && (
        <ConfigDumpDrawer
          id={opened}
          proxy={live.data?.proxies.find(({ id }) => id === opened)}
          onClose={() => url.set({ proxy: null, type: null, resource: null })}
        />
      )}
    </Page>
  );
}

function Filters({ filter }: { filter: ProxyFilter }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  return (
    <>
      <TextInput
        size="xs"
        aria-label={t("filter")}
        placeholder={t("filter")}
        defaultValue={filter.text}
        key={filter.text === "" ? "empty" : "set"}
        onChange={(event) => url.set({ filter: event.currentTarget.value })}
        data-testid="proxy-filter"
      />
      {(["sidecar", "gateway"] as const).map((kind) => (
        <PillButton
          key={kind}
          pressed={filter.kind === kind}
          onClick={() => url.set({ kind: filter.kind === kind ? null : kind })}
          data-testid={`kind-${kind}`}
        >
          {t(`kind-${kind}`)}
        </PillButton>
      ))}
      <PillButton
        pressed={filter.onlyOutOfSync}
        onClick={() => url.set({ sync: filter.onlyOutOfSync ? null : "out" })}
        data-testid="only-out-of-sync"
      >
        {t("only-out")}
      </PillButton>
    </>
  );
}

function Proxies({ live, filter, opened }: { live: Live<ProxyList>; filter: ProxyFilter; opened: string | null }) {
  const t = useTranslations("proxies");
  const errors = useTranslations("error");
  const url = useUrlState();
  const { data, error, failingSince, refresh } = live;
  const columns = useProxyColumns(data?.at ?? 0);
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
  if (!data) return <TableSkeleton rows={7} columns={8} rowHeight={53} />;
  const rows = filterProxies(data.proxies, filter);
  const open = ({ id }: ProxySync) => url.set({ proxy: id }, "push");
  return (
    <>
      {error && <Notice tone="warn">{error.message}</Notice>}
      <div className={styles.table}>
        <DataTable
          caption={t("title")}
          columns={columns}
          rows={rows}
          rowKey={({ id }) => id}
          sort={url.get("sort") ?? "proxy"}
          onSort={(sort) => url.set({ sort })}
          isSelected={({ id }) => id === opened}
          onRowClick={open}
          rowProps={({ name }) => ({ "data-testid": `proxy-row-${name}` })}
          empty={<Nothing total={data.proxies.length} filter={filter} />}
        />
      </div>
      <RefusedList refused={refusedResources(data.proxies)} />
    </>
  );
}

function Nothing({ total, filter }: { total: number; filter: ProxyFilter }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  if (total === 0) return <EmptyState title={t("empty")}>{t("empty-text")}</EmptyState>;
  return (
    <EmptyState
      title={filter.onlyOutOfSync && filter.text === "" && filter.kind === null ? t("all-in-sync") : t("no-match")}
      action={<PillButton onClick={() => url.set({ filter: null, kind: null, sync: null })}>{t("clear")}</PillButton>}
    />
  );
}
