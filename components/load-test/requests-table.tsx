"use client";
import { useLocale, useTranslations } from "use-intl";
import type { LoadOutcome, LoadPlan } from "../../server/contract/index.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { formatMs, formatNumber, quantityText } from "../ui/format.ts";
import styles from "./load.module.css";

interface Row {
  index: number;
  what: string;
  figures: LoadOutcome["requests"][number];
}

/** What became of each of several requests of one run. */
export function RequestsTable({ outcome, plan }: { outcome: LoadOutcome; plan: LoadPlan }) {
  const t = useTranslations("load-test");
  const locale = useLocale();
  const rows = [plan, ...plan.also].flatMap(({ method, url }, index): Row[] => {
    const figures = outcome.requests[index];
    return figures ? [{ index, what: `${method} ${url}`, figures }] : [];
  });
  const figure = (key: string, header: string, text: (figures: Row["figures"]) => string): Column<Row> => ({
    ...{ key, header, align: "right" },
    cell: ({ figures }) => <span className="num">{text(figures)}</span>,
  });
  const number = (count: number) => quantityText(formatNumber(count, locale));
  const ms = (value: number | null) => quantityText(formatMs(value, locale));
  return (
    <div className={styles.requests}>
      <DataTable
        caption={t("requests")}
        columns={[
          {
            key: "what",
            header: t("requests"),
            phone: "title",
            cell: ({ what }) => <span className="mono">{what}</span>,
          },
          figure("due", t("due"), ({ due }) => number(due)),
          figure("ok", t("col-ok"), ({ ok }) => number(ok)),
          figure("p50", "p50", ({ p50 }) => ms(p50)),
          figure("p99", "p99", ({ p99 }) => ms(p99)),
        ]}
        rows={rows}
        rowKey={({ index }) => String(index)}
        rowProps={({ what }) => ({ "data-request": what })}
      />
    </div>
  );
}
