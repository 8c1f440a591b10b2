"use client";
import { useTranslations } from "use-intl";
import type { Circuit } from "../../../../server/contract/index.ts";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { type Column, DataTable } from "../../../ui/data-table.tsx";
import styles from "../fields/fields.module.css";
import { useForm } from "../form-context.ts";
import { useCircuits } from "./use-circuits.ts";

/** How full each caller's breakers are: a bound is each proxy's own, not the mesh's. */
export function BreakerUse({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object } = useForm();
  const now = useCircuits(path);
  if (!now) return null;
  const limit = (...names: string[]) => {
    const value = valueAt(object, [...path, ...names]);
    return typeof value === "number" && value > 0 ? value : null;
  };
  const of = (value: number, most: number | null) => (
    <span className={most !== null && value >= most ? styles.warn : undefined}>
      {most === null ? value : t("of", { value, most })}
    </span>
  );
  const [connections, requests, pending] = [
    limit("tcp", "maxConnections"),
    limit("http", "http2MaxRequests"),
    limit("http", "http1MaxPendingRequests"),
  ];
  const columns: Column<Circuit>[] = [
    {
      key: "caller",
      header: t("caller"),
      phone: "title",
      cell: ({ caller, subset }) => (subset === null ? caller : `${caller} → ${subset}`),
    },
    { key: "cx", header: t("connections"), align: "right", cell: (one) => of(one.connections, connections) },
    { key: "rq", header: t("in-flight"), align: "right", cell: (one) => of(one.requests, requests) },
    { key: "wait", header: t("waiting"), align: "right", cell: (one) => of(one.pending, pending) },
    {
      key: "over",
      header: t("turned-away"),
      align: "right",
      cell: ({ overflowed }) => <span className={overflowed > 0 ? styles.warn : undefined}>{overflowed}</span>,
    },
  ];
  return (
    <div data-testid="breaker-use">
      {now.circuits.length === 0 ? (
        <p className={styles.note}>{t("no-connections")}</p>
      ) : (
        <DataTable
          caption={t("breaker-now")}
          columns={columns}
          rows={now.circuits}
          rowKey={({ caller, namespace, port, subset }) => `${namespace}/${caller}/${port}/${subset}`}
          dense
        />
      )}
      {now.unknown > 0 && <p className={styles.note}>{t("not-asked", { count: now.unknown })}</p>}
    </div>
  );
}
