"use client";
import { Drawer } from "@mantine/core";
import Link from "next/link";
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { ProxyConfigDump, type ProxySync, type XdsTypeName, xdsTypes } from "../../server/contract/index.ts";
import { getJson } from "../lib/api.ts";
import { objectHref } from "../lib/links.ts";
import { useLive } from "../lib/live.ts";
import { useUrlState } from "../lib/url-state.ts";
import { formatAge } from "../ui/age.ts";
import { PillButton } from "../ui/pill.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState, ErrorState, Notice } from "../ui/states.tsx";
import styles from "./config-dump.module.css";
import { originPaths } from "./json-rows.ts";
import { JsonView } from "./json-view.tsx";
import { SyncMark } from "./sync-mark.tsx";
import { parseOrigin } from "./sync-state.ts";

type Resource = ProxyConfigDump["resources"][number];

export interface ConfigDumpDrawerProps {
  id: string;
  proxy: ProxySync | undefined;
  onClose: () => void;
}

/** What one proxy holds, resource by resource. Type and resource are in the URL. */
export function ConfigDumpDrawer({ id, proxy, onClose }: ConfigDumpDrawerProps) {
  const t = useTranslations("proxies");
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
      <Dump id={id} />
    </Drawer>
  );
}

function Dump({ id }: { id: string }) {
  const t = useTranslations("proxies");
  const errors = useTranslations("error");
  const { data, error, failingSince, refresh } = useLive({
    queryKey: ["proxy-config", id],
    read: (signal) => getJson(ProxyConfigDump, `/api/proxies/${encodeURIComponent(id)}/config`, signal),
    everyMs: 5000,
  });
  if (!data && error?.code === "NOT_FOUND") return <EmptyState title={t("gone")}>{t("gone-text", { id })}</EmptyState>;
  if (!data && error) {
    return (
      <ErrorState
        title={t("dump-unreadable")}
        detail={error.message}
        since={failingSince}
        works={errors("works-CONTROL_PLANE_UNREACHABLE")}
        onRetry={refresh}
      />
    );
  }
  if (!data)
    return (
      <div className={styles.loading}>
        <SkeletonBlock height={24} width="50%" />
        <SkeletonBlock height={400} />
      </div>
    );
  return (
    <div className={styles.dump} data-testid="config-dump">
      {error && <Notice tone="warn">{error.message}</Notice>}
      <Resources dump={data} />
    </div>
  );
}

const shownAtFirst = 200;

function Resources({ dump }: { dump: ProxyConfigDump }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const [text, setText] = useState("");
  const [limit, setLimit] = useState(shownAtFirst);
  const type = xdsTypes.find((one) => one === url.get("type")) ?? null;
  const wanted = text.trim().toLowerCase();
  const found = dump.resources.filter(
    (resource) => (type === null || resource.type === type) && resource.name.toLowerCase().includes(wanted),
  );
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
            onChange={(event) => setText(event.currentTarget.value)}
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
              onSelect={() => url.set({ resource: keyOf(resource) })}
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
          <Detail key={keyOf(selected)} resource={selected} onBack={() => url.set({ resource: null })} />
        ) : (
          <p className={styles.none}>{t("choose")}</p>
        )}
      </div>
    </div>
  );
}

const keyOf = ({ type, name }: Resource): string => `${type}:${name}`;

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
      {xdsTypes.map((one) => (
        <PillButton
          key={one}
          pressed={one === type}
          onClick={() => onChange(one === type ? null : one)}
          title={one}
          data-testid={`type-${one}`}
        >
          {t(`type-${one}`)} {dump.resources.filter((resource) => resource.type === one).length}
        </PillButton>
      ))}
    </div>
  );
}

function ResourceItem({
  resource,
  now,
  selected,
  onSelect,
}: {
  resource: Resource;
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

function Detail({ resource, onBack }: { resource: Resource; onBack: () => void }) {
  const t = useTranslations("proxies");
  const origins = originPaths(resource.config).flatMap((path) => parseOrigin(path) ?? []);
  return (
    <>
      <div className={styles.about}>
        <button type="button" className={styles.back} onClick={onBack}>
          ← {t("back")}
        </button>
        <h3 className="mono">{resource.name}</h3>
        <p className="muted">
          {t(`state-${resource.state}`)} · {t("version", { version: resource.version.slice(0, 12) })}
        </p>
        {origins.length > 0 && (
          <p className="muted">
            {t("comes-from")}{" "}
            {origins.map(({ kind, namespace, name }, i) => (
              <span key={`${kind}/${namespace}/${name}`}>
                {i > 0 && ", "}
                <Link className="link" href={objectHref(kind, namespace, name)}>
                  {kind} {namespace}/{name}
                </Link>
              </span>
            ))}
          </p>
        )}
        {resource.error && <p className={styles.error}>{resource.error}</p>}
      </div>
      <JsonView value={resource.config} label={resource.name} />
    </>
  );
}
