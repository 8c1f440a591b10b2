"use client";
import Link from "next/link";
import { useLocale, useTranslations } from "use-intl";
import type {
  CertificateReport,
  CertificateState,
  IdentityCertificate,
  RootCertificate,
} from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { proxyHref } from "../lib/links.ts";
import { LiveContent } from "../list/live-content.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { formatAge } from "../ui/age.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { formatDateTime } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./security.module.css";
import { useCertificates } from "./security-queries.ts";

const marks: Record<CertificateState, "healthy" | "degraded" | "failing"> = {
  good: "healthy",
  late: "degraded",
  ended: "failing",
};

/** What is trusted, who was certified until when, and who gets nothing more. */
export function CertificatesTab({ initial }: { initial: Settled<CertificateReport> | undefined }) {
  const t = useTranslations("security");
  const live = useCertificates(initial);
  if (live.error?.code === "NOT_FOUND")
    return (
      <Panel flush>
        <EmptyState title={t("no-authority")}>{t("no-authority-text")}</EmptyState>
      </Panel>
    );
  return (
    <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={9} columns={4} />}>
      {(report) => (
        <div className={styles.stack}>
          <Roots report={report} />
          <Identities report={report} />
          {report.revoked.length > 0 && <Revoked report={report} />}
        </div>
      )}
    </LiveContent>
  );
}

type Living = Pick<IdentityCertificate, "notBeforeMs" | "notAfterMs" | "state">;

/** When it ends, and how long that is away. */
function End({ of: { notAfterMs, state }, at }: { of: Living; at: number }) {
  const t = useTranslations("security");
  const locale = useLocale();
  return (
    <span data-state={state} className={state === "good" ? undefined : styles[state]} suppressHydrationWarning>
      {t(state === "ended" ? "ended-at" : "ends-at", {
        time: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(
          notAfterMs,
        ),
        left: formatAge(notAfterMs - at, locale),
      })}
      {state === "late" && ` · ${t("late")}`}
    </span>
  );
}

/** Opens what it would do to revoke it, or to take that back. */
function IdentityLink({ of, title }: { of: string; title?: string }) {
  return (
    <Link
      className={`link mono ${styles.wrap}`}
      title={title}
      href={`/security?${new URLSearchParams({ tab: "certificates", identity: of })}`}
      prefetch={false}
      scroll={false}
    >
      {of}
    </Link>
  );
}

function Roots({ report: { roots, at } }: { report: CertificateReport }) {
  const t = useTranslations("security");
  const columns: Column<RootCertificate>[] = [
    {
      key: "subject",
      header: t("col-root"),
      phone: "title",
      cell: ({ subject, state }) => (
        <span className={styles.marked}>
          <HealthMark health={marks[state]} silent />
          <span>{subject}</span>
        </span>
      ),
    },
    {
      key: "fingerprint",
      header: "SHA-256",
      cell: ({ fingerprint }) => (
        <span className="mono" title={fingerprint}>
          {fingerprint.slice(0, 16)}…
        </span>
      ),
    },
    { key: "end", header: t("col-end"), cell: (root) => <End of={root} at={at} /> },
  ];
  return (
    <Panel flush title={t("roots")} hint={t(roots.length > 1 ? "roots-rotating" : "roots-hint")}>
      <DataTable caption={t("roots")} columns={columns} rows={roots} rowKey={({ fingerprint }) => fingerprint} />
    </Panel>
  );
}

function Identities({ report: { certificates, at } }: { report: CertificateReport }) {
  const t = useTranslations("security");
  const locale = useLocale();
  const columns: Column<IdentityCertificate>[] = [
    {
      key: "identity",
      header: t("col-identity"),
      phone: "title",
      sortValue: ({ spiffeUri }) => spiffeUri,
      cell: ({ spiffeUri, state, serial, revoked }) => (
        <span className={styles.marked}>
          <HealthMark health={revoked ? "failing" : marks[state]} silent />
          <span>
            <IdentityLink of={spiffeUri} title={t("serial", { serial })} />
            {revoked && <span className={styles.ended}> {t("revoked")}</span>}
          </span>
        </span>
      ),
    },
    {
      key: "proxies",
      header: t("col-proxies"),
      cell: ({ proxies }) =>
        proxies.length === 0 ? (
          <span className="muted">{t("no-proxies")}</span>
        ) : (
          proxies.map(({ id, name, connected }, index) => (
            <span key={id}>
              {index > 0 && ", "}
              <Link className="link" href={proxyHref(id)} prefetch={false}>
                {name.split("/", 2)[1]}
              </Link>
              {!connected && <span className="muted"> {t("gone")}</span>}
            </span>
          ))
        ),
    },
    {
      key: "end",
      header: t("col-end"),
      sortValue: ({ notAfterMs }) => -notAfterMs,
      cell: (certificate) => <End of={certificate} at={at} />,
    },
    {
      key: "issued",
      header: t("col-issued"),
      phone: "hidden",
      sortValue: ({ issuedMs }) => issuedMs,
      cell: ({ issuedMs, by, good }) => (
        <span suppressHydrationWarning>
          {formatDateTime(issuedMs, locale)} <span className="muted">{t(`by-${by}`)}</span>
          {good > 1 && <span className="muted"> · {t("still-good", { count: good - 1 })}</span>}
        </span>
      ),
    },
  ];
  return (
    <Panel flush title={t("issued")} hint={t("issued-hint")} data-testid="issued-certificates">
      <SortedTable
        caption={t("issued")}
        columns={columns}
        rows={certificates}
        rowKey={({ spiffeUri }) => spiffeUri}
        defaultSort=""
        rowProps={({ spiffeUri, state }) => ({ "data-identity": spiffeUri, "data-state": state })}
        empty={<EmptyState title={t("none-issued")}>{t("none-issued-text")}</EmptyState>}
      />
    </Panel>
  );
}

function Revoked({ report: { revoked } }: { report: CertificateReport }) {
  const t = useTranslations("security");
  const locale = useLocale();
  return (
    <Panel title={t("revoked-title")}>
      <ul className={styles.ports}>
        {revoked.map(({ spiffeUri, atMs, reason }) => (
          <li key={spiffeUri} suppressHydrationWarning>
            <IdentityLink of={spiffeUri} /> {formatDateTime(atMs, locale)}
            {reason && <span className="muted"> {reason}</span>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
