"use client";
import { useTranslations } from "use-intl";
import type { WorkloadItem } from "../../server/contract/index.ts";
import { NumberWithUnit } from "../ui/quantity.tsx";
import styles from "./workloads.module.css";

/** What its ports take, and the share of calls that came by mutual TLS. */
export function MutualTls({ workload: { mtls, mtlsShare } }: { workload: Pick<WorkloadItem, "mtls" | "mtlsShare"> }) {
  const t = useTranslations("workloads");
  const modes = [...new Set(mtls.map(({ mode }) => mode))];
  return (
    <span className={styles.mtls}>
      {modes.length === 0 && mtlsShare === null ? (
        <span className="muted">–</span>
      ) : (
        modes.map((mode) => t(`mtls-${mode}`)).join(", ")
      )}
      {mtlsShare !== null && (
        <abbr className="muted" style={{ textDecoration: "none" }} title={t("mtls-of-calls")}>
          {" "}
          <NumberWithUnit value={mtlsShare} kind="share" />
        </abbr>
      )}
    </span>
  );
}
