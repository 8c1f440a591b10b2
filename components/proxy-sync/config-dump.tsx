"use client";
import { Drawer } from "@mantine/core";
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import {
  ProxyConfigDump,
  type ProxyResource,
  type ProxySync,
  type SyncState,
  type XdsTypeName,
  xdsTypes,
} from "../../server/contract/index.ts";
import { getJson } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { useLive } from "../lib/live.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import { Unreadable } from "../list/live-content.tsx";
import { ProxyCharts, proxyChartsWindowSec } from "../metrics/proxy-charts.tsx";
import { formatAge } from "../ui/age.ts";
import { PillButton } from "../ui/pill.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import styles from "./config-dump.module.css";
import { ForgetButton } from "./forget-button.tsx";
import { HeldTable, heldViews } from "./held-tables.tsx";
import { Identity } from "./identity.tsx";
import { LoadTable } from "./load-table.tsx";
import { LostWords } from "./lost-words.tsx";
import { ProxyStatsView, ProxyTools } from "./proxy-tools.tsx";
import { ResourceDetail } from "./resource-detail.tsx";
import { SyncMark } from "./sync-mark.tsx";
import { seldom } from "./sync-state.ts";

export interface ConfigDumpDrawerProps {
  id: string;
  proxy: ProxySync | undefined;
  /** The server's time. */
  now: number;
  onClose: () => void;
}

const shows = ["config", "metrics"] as const;

/** What one proxy holds, resource by resource, and what it tells of itself. Type and resource are in the URL. */
export function ConfigDumpDrawer({ id, proxy, now, onClose }: ConfigDumpDrawerProps) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const { range, set, compare } = useUrlRange(proxyChartsWindowSec);
  const show = shows.find((one) => one === url.get("show")) ?? "config";
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="min(1040px, 100%)"
      title={
        <span className={styles.title}>
          {proxy?.name ?? id.split("~")[2] ?? id}
          <span className="muted mono">
            {proxy ? `${proxy.namespace} · ${proxy.address} · ${proxy.implementation} · ${proxy.protocol}` : ""}
          </span>
        </span>
      }
      classNames={{
        content: styles.content ?? "",
        header: styles.header ?? "",
        title: styles.heading ?? "",
        body: styles.body ?? "",
      }}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      {proxy?.connected && proxy.restart && (
        <Notice tone="warn">{t("restart-needed-why", { fields: proxy.restart.join(", ") })}</Notice>
      )}
      {proxy?.connected && <Identity proxy={proxy} now={now} />}
      {proxy?.connected && <ProxyTools id={id} />}
      <div className={styles.shows}>
        {shows.map((one) => (
          <PillButton
            key={one}
            pressed={show === one}
            onClick={() => url.set({ show: one === "config" ? null : one })}
            data-testid={`show-${one}`}
          >
            {t(`show-${one}`)}
          </PillButton>
        ))}
        {show === "metrics" && <TimeRangePicker value={range} onChange={set} compare={compare} />}
      </div>
      {show === "metrics" ? (
        <ProxyCharts id={id} />
      ) : proxy && !proxy.connected ? (
        <Gone proxy={proxy} />
      ) : (
        <Held id={id} isKnown={proxy !== undefined} />
      )}
    </Drawer>
  );
}

/** What it holds can't be asked; what it held last goes on working there. */
function Gone({ proxy }: { proxy: ProxySync }) {
  const t = useTranslations("proxies");
  return (
    <EmptyState title={t("gone")} action={<ForgetButton proxy={proxy} />}>
      <span className={styles.gone}>
        <LostWords proxy={proxy} />
      </span>
      {t("gone-text", { id: proxy.id })}
    </EmptyState>
  );
}

/** As rows, as its resources, or by its counters; which of these is in the URL. */
function Held({ id, isKnown }: { id: string; isKnown: boolean }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const shown = heldViews.find((one) => one === url.get("table")) ?? "resources";
  return (
    <>
      <div className={styles.views}>
        {heldViews.map((one) => (
          <PillButton
            key={one}
            pressed={one === shown}
            onClick={() => url.set({ table: one === "resources" ? null : one, find: null })}
            data-testid={`held-${one}`}
          >
            {t(`held-${one}`)}
          </PillButton>
        ))}
      </div>
      {shown === "resources" ? (
        <Dump id={id} isKnown={isKnown} />
      ) : shown === "stats" ? (
        <ProxyStatsView id={id} />
      ) : shown === "load" ? (
        <div className={styles.rows} data-testid="table-load">
          <LoadTable id={id} />
        </div>
      ) : (
        <HeldTable key={shown} id={id} table={shown} />
      )}
    </>
  );
}

/** `isKnown`: it is among the mesh's proxies, connected or not. */
function Dump({ id, isKnown }: { id: string; isKnown: boolean }) {
  const t = useTranslations("proxies");
  const textOf = useErrorText();
  const live = useLive({
    queryKey: ["proxy-config", id],
    read: (signal) => getJson(ProxyConfigDump, `/api/proxies/${encodeURIComponent(id)}/config`, signal),
    everyMs: 3000,
  });
  const { data, error } = live;
  if (!data && error?.code === "NOT_FOUND") {
    return isKnown ? (
      <EmptyState title={t("gone")}>{t("gone-text", { id })}</EmptyState>
    ) : (
      <EmptyState title={t("unknown", { id })}>{t("unknown-text")}</EmptyState>
    );
  }
  if (!data && error) return <Unreadable title={t("dump-unreadable")} live={live} />;
  if (!data)
    return (
      <div className={styles.loading}>
        <SkeletonBlock height={24} width="50%" />
        <SkeletonBlock height={400} />
      </div>
    );
  return (
    <div className={styles.dump} data-testid="config-dump">
      {error && <Notice tone="warn">{textOf(error)}</Notice>}
      <Resources id={id} dump={data} />
    </div>
  );
}

const shownAtFirst = 200;

function Resources({ id, dump }: { id: string; dump: ProxyConfigDump }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const text = url.get("find") ?? "";
  const [limit, setLimit] = useState(shownAtFirst);
  const type = xdsTypes.find((one) => one === url.get("type")) ?? null;
  const wanted = text.trim().toLowerCase();
  const found = dump.resources
    .filter((resource) => (type === null || resource.type === type) && resource.name.toLowerCase().includes(wanted))
    // What is wrong comes first; else in the order of the types.
    .toSorted((a, b) => trouble(b.state) - trouble(a.state));
  const key = url.get("resource");
  const selected = dump.resources.find((resource) => keyOf(resource) === key) ?? null;
  return (
    <div className={styles.columns} data-open={selected !== null || undefined}>
      <div className={styles.list}>
        <div className={styles.filters}>
          <TypePills dump={dump} type={type} onChange={(next) => url.set({ type: next })} />
          <input
            type="search"
            placeholder={t("resource-filter")}
            aria-label={t("resource-filter")}
            value={text}
            onChange={(event) => url.set({ find: event.currentTarget.value })}
            data-testid="resource-filter"
          />
        </div>
        <ul>
          {found.slice(0, limit).map((resource) => (
            <ResourceItem
              key={keyOf(resource)}
              resource={resource}
              now={dump.at}
              selected={resource === selected}
              onSelect={() => url.set({ resource: keyOf(resource), view: null }, "push")}
            />
          ))}
        </ul>
        {found.length === 0 && <p className={styles.none}>{t("no-resource")}</p>}
        {found.length > limit && (
          <PillButton className={styles.more} onClick={() => setLimit(limit + 500)}>
            {t("more", { count: found.length - limit })}
          </PillButton>
        )}
      </div>
      <div className={styles.detail}>
        {selected ? (
          <ResourceDetail
            key={keyOf(selected)}
            id={id}
            resource={selected}
            onBack={() => url.set({ resource: null, view: null })}
          />
        ) : (
          <p className={styles.none}>{t("choose")}</p>
        )}
      </div>
    </div>
  );
}

const trouble = (state: SyncState): number => (state === "ERROR" ? 2 : state === "STALE" ? 1 : 0);

const keyOf = ({ type, name }: ProxyResource): string => `${type}:${name}`;

function TypePills({
  dump,
  type,
  onChange,
}: {
  dump: ProxyConfigDump;
  type: XdsTypeName | null;
  onChange: (type: XdsTypeName | null) => void;
}) {
  const t = useTranslations("proxies");
  return (
    <div className={styles.types}>
      <PillButton pressed={type === null} onClick={() => onChange(null)}>
        {t("all-types")} {dump.resources.length}
      </PillButton>
      {xdsTypes.map((one) => {
        const resources = dump.resources.filter((resource) => resource.type === one);
        if (resources.length === 0 && seldom.has(one)) return null;
        const worst = resources.map(({ state }) => state).find((state) => trouble(state) > 0);
        return (
          <PillButton
            key={one}
            pressed={one === type}
            onClick={() => onChange(one === type ? null : one)}
            title={one}
            data-testid={`type-${one}`}
          >
            {worst && <SyncMark state={worst} />}
            {t(`type-${one}`)} {resources.length}
          </PillButton>
        );
      })}
    </div>
  );
}

function ResourceItem({
  resource,
  now,
  selected,
  onSelect,
}: {
  resource: ProxyResource;
  now: number;
  selected: boolean;
  onSelect: () => void;
}) {
  const locale = useLocale();
  return (
    <li>
      <button type="button" className={styles.item} aria-pressed={selected} onClick={onSelect}>
        <SyncMark state={resource.state} />
        <span className={styles.itemName}>{resource.name}</span>
        <small>{resource.type}</small>
        <small className="num">{resource.updatedAt !== null && formatAge(now - resource.updatedAt, locale)}</small>
      </button>
    </li>
  );
}
