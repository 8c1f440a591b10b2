"use client";
import { NativeSelect } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { type MetricFunction, type MetricInfo, metricFunctions, seriesLabels } from "../../server/contract/index.ts";
import { tracesHref } from "../lib/links.ts";
import { useUrlState } from "../lib/url-state.ts";
import { Link } from "../ui/link.tsx";
import { PillButton } from "../ui/pill.tsx";
import { shortInstance } from "./metric-view.tsx";
import styles from "./metrics.module.css";

export interface MetricControlsProps {
  info: MetricInfo;
  fn: MetricFunction | undefined;
  by: readonly string[];
}

/** What is asked of a metric: of which service, which function of its values, grouped by which labels. */
export function MetricControls({ info, fn, by }: MetricControlsProps) {
  const t = useTranslations("metrics");
  const url = useUrlState();
  const service = url.get("service") ?? "";
  const instance = url.get("instance");
  const isOwn = (label: string): label is (typeof seriesLabels)[number] => seriesLabels.some((one) => one === label);
  const toggle = (label: string) => {
    const next = by.includes(label) ? by.filter((one) => one !== label) : [...by, label];
    // Nothing is not what is shown unasked, so it has a word.
    url.set({ by: next.join(",") || "," });
  };
  return (
    <div className={styles.controls}>
      <Choice legend={t("fn")}>
        {metricFunctions[info.kind].map((one) => (
          <PillButton key={one} pressed={one === fn} onClick={() => url.set({ fn: one })} data-testid={`fn-${one}`}>
            {t(`fn-${one}`)}
          </PillButton>
        ))}
      </Choice>
      <Choice legend={t("by")}>
        {[...seriesLabels, ...info.labels].map((label) => (
          <PillButton
            key={label}
            pressed={by.includes(label)}
            onClick={() => toggle(label)}
            data-testid={`by-${label}`}
          >
            {isOwn(label) ? t(`label-${label}`) : label}
          </PillButton>
        ))}
      </Choice>
      <NativeSelect
        size="xs"
        aria-label={t("of-service")}
        value={service}
        onChange={({ currentTarget }) => url.set({ service: currentTarget.value || null, instance: null })}
        data={[{ value: "", label: t("every-service") }, ...info.services.map((one) => ({ value: one, label: one }))]}
        data-testid="metric-service"
      />
      {instance && (
        <PillButton pressed onClick={() => url.set({ instance: null })}>
          {shortInstance(instance)} ×
        </PillButton>
      )}
      {service && (
        <Link className="link" href={`${tracesHref}?service=${encodeURIComponent(service)}&sort=-duration`}>
          {t("traces")}
        </Link>
      )}
    </div>
  );
}

const Choice = ({ legend, children }: { legend: string; children: ReactNode }) => (
  <fieldset className={styles.control}>
    <legend>{legend}</legend>
    {children}
  </fieldset>
);
