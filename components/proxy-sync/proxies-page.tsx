"use client";
import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { use } from "react";
import { useTranslations } from "use-intl";
import type { ProxyList, ProxySync, PushHistory as Pushes } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import type { Live } from "../lib/live.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import { useProxies, usePushHistory } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { FilterInput } from "../list/filter-input.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { clientKinds, clientKindsOf } from "./client-kind.ts";
import { FleetFigures } from "./fleet-figures.tsx";
import styles from "./proxies.module.css";
import { useProxyColumns } from "./proxy-columns.tsx";
import { PushHistory } from "./push-history.tsx";
import { RefusalInbox } from "./refusal-inbox.tsx";
import { RefusedList } from "./refused-list.tsx";
import { SyncMark } from "./sync-mark.tsx";
import { filterProxies, type ProxyFilter, refusedResources, shownTypes, worstFirst, worstState } from "./sync-state.ts";

// The drawer is most of this page, and seldom what it is opened for.
const ConfigDumpDrawer = dynamic(() => import("./config-dump.tsx").then((module) => module.ConfigDumpDrawer));

export interface ProxiesPageProps {
  proxies: Promise<Settled<ProxyList>>;
  pushes: Promise<Settled<Pushes>>;
}

/** What each proxy holds. Filters, sorting and the opened proxy are in the URL. */
export function ProxiesPage(first: ProxiesPageProps) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const [proxies0, pushes0] = [use(first.proxies), use(first.pushes)];
  const live = useProxies(proxies0);
  const pushes = usePushHistory(pushes0).data?.pushes;
  const status = useMeshStatus();
  const kind = (["sidecar", "gateway"] as const).find((one) => one === url.get("kind")) ?? null;
  const client = clientKinds.find((one) => one === url.get("client")) ?? null;
  const onlyOutOfSync = url.get("sync") === "out";
  const filter: ProxyFilter = { kind, client, onlyOutOfSync, text: url.get("filter") ?? "" };
  const opened = url.get("proxy") || null;
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <Filters filter={filter} proxies={live.data?.proxies ?? []} />
        <Button component="a" href="/api/debug-bundle" download title={t("bundle-says")} data-testid="debug-bundle">
          {t("bundle")}
        </Button>
      </PageHeader>
      <FleetFigures proxies={live.data?.proxies} status={status.data} now={live.data?.at ?? 0} />
      <Panel flush>
        <Proxies live={live} filter={filter} opened={opened} />
      </Panel>
      {live.data && pushes && <RefusalInbox proxies={live.data.proxies} pushes={pushes} />}
      {pushes && <PushHistory pushes={pushes} />}
      {opened !== null && (
        <ConfigDumpDrawer
          id={opened}
          proxy={live.data?.proxies.find(({ id }) => id === opened)}
          now={live.data?.at ?? 0}
          onClose={() =>
            url.set({ proxy: null, show: null, type: null, resource: null, view: null, find: null, table: null })
          }
        />
      )}
    </Page>
  );
}

function Filters({ filter, proxies }: { filter: ProxyFilter; proxies: readonly ProxySync[] }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const there = clientKindsOf(proxies);
  return (
    <>
      <FilterInput label={t("filter")} data-testid="proxy-filter" />
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
      {/* Of one kind only there is nothing to choose, unless a link says so. */}
      {(there.length > 1 || filter.client !== null) &&
        clientKinds
          .filter((client) => there.includes(client) || client === filter.client)
          .map((client) => (
            <PillButton
              key={client}
              pressed={filter.client === client}
              onClick={() => url.set({ client: filter.client === client ? null : client })}
              data-testid={`client-${client}`}
            >
              {t(`client-${client}`)}
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
  const url = useUrlState();
  const withUsage = live.data?.proxies.some(({ usage }) => usage !== null) ?? true;
  const columns = useProxyColumns(live.data?.at ?? 0, withUsage, shownTypes(live.data?.proxies ?? []));
  const skeleton = <TableSkeleton rows={7} columns={11} rowHeight={53} />;
  return (
    <LiveContent live={live} unreadable={t("unreadable")} skeleton={skeleton}>
      {({ proxies }) => (
        <>
          <RefusedList refused={refusedResources(proxies)} />
          <div className={styles.table}>
            <SortedTable
              caption={t("title")}
              columns={columns}
              rows={filterProxies(proxies, filter).toSorted(worstFirst)}
              rowKey={({ id }) => id}
              defaultSort=""
              isSelected={({ id }) => id === opened}
              onRowClick={({ id }) => url.set({ proxy: id }, "push")}
              rowProps={(proxy) => ({ "data-testid": `proxy-row-${proxy.name}`, "data-worst": worstState(proxy) })}
              empty={<Nothing total={proxies.length} filter={filter} />}
            />
          </div>
          <Legend />
        </>
      )}
    </LiveContent>
  );
}

/** What the quiet marks say. */
function Legend() {
  const t = useTranslations("proxies");
  return (
    <p className={styles.legend}>
      {(["SYNCED", "STALE", "ERROR", "GONE", "NOT_SENT"] as const).map((state) => (
        <span key={state}>
          <SyncMark state={state} silent />
          {t(`state-${state}`)}
        </span>
      ))}
      <span>{t("legend-age")}</span>
    </p>
  );
}

function Nothing({ total, filter }: { total: number; filter: ProxyFilter }) {
  const t = useTranslations("proxies");
  if (total === 0) return <EmptyState title={t("empty")}>{t("empty-text")}</EmptyState>;
  const onlySync = filter.onlyOutOfSync && filter.text === "" && filter.kind === null && filter.client === null;
  return <NoMatch title={t(onlySync ? "all-in-sync" : "no-match")} filters={["filter", "kind", "client", "sync"]} />;
}
