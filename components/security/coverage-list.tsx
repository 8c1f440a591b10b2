"use client";
import { useTranslations } from "use-intl";
import type { CoverageReport, CoveredCall } from "../../server/contract/index.ts";
import { SortedTable } from "../list/sorted-table.tsx";
import type { Column } from "../ui/data-table.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { Count } from "./count.tsx";
import { cellMarks, cellState } from "./coverage-grid.ts";
import { PolicyNames } from "./policy-names.tsx";
import styles from "./security.module.css";
import { WorkloadName } from "./workload-name.tsx";

/** The matrix row by row, for a narrow screen and for those who hear it. */
export function CoverageList({ report }: { report: CoverageReport }) {
  const t = useTranslations("security");
  const columns: Column<CoveredCall>[] = [
    {
      key: "pair",
      header: t("col-pair"),
      phone: "title",
      sortValue: ({ caller, called }) => `${caller} ${called}`,
      cell: (one) => (
        <span className={styles.marked}>
          <HealthMark health={cellMarks[cellState(one)]} silent />
          <span>
            <WorkloadName of={one.caller} /> → <WorkloadName of={one.called} />
          </span>
        </span>
      ),
    },
    {
      key: "calls",
      header: t("col-calls"),
      align: "right",
      sortValue: ({ calls }) => calls,
      cell: ({ calls }) => <Count value={calls} />,
    },
    {
      key: "mtls",
      header: t("col-share"),
      align: "right",
      sortValue: ({ mutual, calls }) => mutual / calls,
      cell: ({ mutual, calls }) => <NumberWithUnit value={mutual / calls} kind="share" />,
    },
    {
      key: "refused",
      header: t("col-refused"),
      align: "right",
      sortValue: ({ refused }) => refused,
      cell: ({ refused }) => <Count value={refused} tone="bad" />,
    },
    { key: "reach", header: t("col-reach"), cell: ({ reach }) => t(`reach-${reach}`) },
    { key: "policies", header: t("col-policies"), cell: ({ policies }) => <PolicyNames policies={policies} /> },
  ];
  return (
    <SortedTable
      caption={t("coverage")}
      columns={columns}
      rows={report.calls}
      rowKey={({ caller, called }) => `${caller}>${called}`}
      defaultSort=""
      rowProps={({ caller, called }) => ({ "data-call": `${caller}>${called}` })}
    />
  );
}
