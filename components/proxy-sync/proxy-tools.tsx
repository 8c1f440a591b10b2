"use client";
import { Button, NativeSelect } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { type ApiError, type LogLevel, logLevels, ProxyAdmin, ProxyStats } from "../../server/contract/index.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { getJson, toApiError } from "../lib/api.ts";
import { useLive } from "../lib/live.ts";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
import { setLogLevel } from "../lib/writes.ts";
import { LiveContent } from "../list/live-content.tsx";
import { formatAge } from "../ui/age.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./config-dump.module.css";

const pathOf = (id: string, what: string): string => `/api/proxies/${encodeURIComponent(id)}/${what}`;

/** What the proxy's own admin interface says and takes: its state, its log level, and all of it as a bundle. */
export function ProxyTools({ id }: { id: string }) {
  const t = useTranslations("proxies");
  const locale = useLocale();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const { data } = useLive({
    queryKey: ["proxy-admin", id],
    read: (signal) => getJson(ProxyAdmin, pathOf(id, "admin"), signal),
    everyMs: 10_000,
  });
  const set = async (level: LogLevel | null) => {
    setBusy(true);
    setFailure(null);
    try {
      client.setQueryData(["proxy-admin", id], await setLogLevel(id, level));
    } catch (cause) {
      setFailure(toApiError(cause));
    } finally {
      setBusy(false);
    }
  };
  const { logLevel = null, usualLevel = null, problem = null, state = null, uptimeSec = null } = data ?? {};
  const changed = logLevel !== null && usualLevel !== null && logLevel !== usualLevel;
  return (
    <>
      <div className={styles.tools} data-testid="proxy-tools">
        {state && uptimeSec !== null && (
          <span className="muted">
            {state} · {t("up-for", { time: formatAge(uptimeSec * 1000, locale) })}
          </span>
        )}
        {logLevel !== null && (
          <label htmlFor="log-level">
            {t("log-level")}
            <NativeSelect
              id="log-level"
              size="xs"
              value={logLevel}
              disabled={busy}
              onChange={(event) => void set(event.currentTarget.value as LogLevel)}
              data={[
                ...(logLevel === "mixed" ? [{ value: "mixed", label: t("log-mixed"), disabled: true }] : []),
                ...logLevels,
              ]}
              data-testid="log-level"
            />
          </label>
        )}
        {changed && (
          <Button size="compact-sm" onClick={() => void set(null)} loading={busy} data-testid="log-level-reset">
            {t("log-reset", { level: usualLevel })}
          </Button>
        )}
        {problem !== null && <span className="muted">{t("admin-problem", { why: problem })}</span>}
        <Button
          component="a"
          size="compact-sm"
          href={pathOf(id, "bundle")}
          download
          title={t("bundle-says")}
          data-testid="proxy-bundle"
        >
          {t("bundle")}
        </Button>
      </div>
      {failure && <FieldErrors error={failure} />}
    </>
  );
}

type Stat = ProxyStats["stats"][number];

/** Its counters, gauges and histograms by Envoy's names. */
export function ProxyStatsView({ id }: { id: string }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const filter = url.get("find") ?? "";
  const live = useLive({
    queryKey: ["proxy-stats", id, filter],
    read: (signal) => getJson(ProxyStats, pathOf(id, `stats?${new URLSearchParams({ filter })}`), signal),
    everyMs: 3000,
  });
  const columns: Column<Stat>[] = [
    { key: "name", header: t("col-stat"), phone: "title", cell: ({ name }) => <span className="mono">{name}</span> },
    { key: "value", header: t("col-value"), align: "right", cell: ({ value }) => <span className="num">{value}</span> },
  ];
  return (
    <div className={styles.rows} data-testid="proxy-stats">
      <div className={styles.search}>
        <input
          ref={useFollowing(filter)}
          type="search"
          placeholder={t("stat-filter")}
          aria-label={t("stat-filter")}
          defaultValue={filter}
          onChange={(event) => url.set({ find: event.currentTarget.value })}
          data-testid="stat-filter"
        />
      </div>
      <LiveContent live={live} unreadable={t("stats-unreadable")} skeleton={<SkeletonBlock height={400} />}>
        {({ stats, more, problem }) =>
          problem !== null ? (
            <EmptyState title={t("stats-unreadable")}>{problem}</EmptyState>
          ) : (
            <>
              <DataTable
                caption={t("held-stats")}
                columns={columns}
                rows={stats}
                rowKey={({ name }) => name}
                dense
                empty={<p className={styles.none}>{t("no-resource")}</p>}
              />
              {more > 0 && <p className={styles.none}>{t("stats-more", { count: more })}</p>}
            </>
          )
        }
      </LiveContent>
    </div>
  );
}
