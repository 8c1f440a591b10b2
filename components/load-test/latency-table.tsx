"use client";
import { useLocale, useTranslations } from "use-intl";
import type { LoadOutcome } from "../../server/contract/index.ts";
import { Change } from "../metrics/change.tsx";
import { formatMs, quantityText } from "../ui/format.ts";
import styles from "./load.module.css";
import { changeOf, quantiles } from "./report-figures.ts";

const names: Record<(typeof quantiles)[number], string> = {
  ...{ p50: "p50", p75: "p75", p90: "p90", p95: "p95", p99: "p99", p999: "p99.9", max: "max" },
};

/** Percentiles: as a caller would have waited, as the target took, and as it was then. */
export function LatencyTable({ outcome, beside }: { outcome: LoadOutcome; beside: LoadOutcome | undefined }) {
  const t = useTranslations("load-test");
  const locale = useLocale();
  const ms = (value: number | null) => quantityText(formatMs(value, locale));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a phone scrolls it sideways, and so does a key
    <section className={styles.scroll} tabIndex={0} aria-label={t("latency")}>
      <table className={styles.latency}>
        <thead>
          <tr>
            <td />
            {quantiles.map((quantile) => (
              <th key={quantile} scope="col">
                {names[quantile]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">{t("latency")}</th>
            {quantiles.map((quantile) => (
              <td key={quantile}>{ms(outcome.latency[quantile])}</td>
            ))}
          </tr>
          <tr className="muted">
            <th scope="row" title={t("service-time-hint")}>
              {t("service-time")}
            </th>
            {quantiles.map((quantile) => (
              <td key={quantile}>{ms(outcome.serviceTime[quantile])}</td>
            ))}
          </tr>
          {beside && (
            <>
              <tr>
                <th scope="row">{t("then")}</th>
                {quantiles.map((quantile) => (
                  <td key={quantile}>{ms(beside.latency[quantile])}</td>
                ))}
              </tr>
              <tr data-testid="load-change">
                <th scope="row">{t("change")}</th>
                {quantiles.map((quantile) => (
                  <td key={quantile}>
                    <Change of={changeOf(outcome.latency[quantile], beside.latency[quantile])} />
                  </td>
                ))}
              </tr>
            </>
          )}
        </tbody>
      </table>
    </section>
  );
}
