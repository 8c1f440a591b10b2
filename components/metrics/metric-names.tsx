"use client";
import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { MetricInfo } from "../../server/contract/index.ts";
import { Panel } from "../ui/panel.tsx";
import { BreakableName } from "./breakable-name.tsx";
import { findMetrics } from "./find-metrics.ts";
import styles from "./metrics.module.css";

export interface MetricNamesProps {
  metrics: readonly MetricInfo[];
  full: boolean;
  chosen: string | null;
  onChoose: (name: string) => void;
}

const sources = ["application", "process", "proxy"] as const;

/** Every metric by who sends it, found by any words of its name or description. */
export function MetricNames({ metrics, full, chosen, onChoose }: MetricNamesProps) {
  const t = useTranslations("metrics");
  const [text, setText] = useState("");
  const found = findMetrics(metrics, text);
  return (
    <Panel flush data-testid="metric-names">
      <div className={styles.picker}>
        <div className={styles.search}>
          <TextInput
            size="xs"
            type="search"
            aria-label={t("search")}
            placeholder={t("search")}
            leftSection={<IconSearch size={14} aria-hidden />}
            value={text}
            onChange={({ currentTarget }) => setText(currentTarget.value)}
            data-testid="metric-search"
          />
        </div>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
        <section className={styles.names} aria-label={t("list")} tabIndex={0}>
          {found.length === 0 && <p className={styles.search}>{t("no-match")}</p>}
          {sources.map((from) => {
            const own = found.filter((metric) => metric.from === from);
            if (own.length === 0) return null;
            return (
              <div key={from}>
                <h2>{t(`from-${from}`)}</h2>
                {own.map(({ name, series }) => (
                  <button
                    key={name}
                    type="button"
                    className={styles.name}
                    aria-pressed={name === chosen}
                    onClick={() => onChoose(name)}
                    data-metric={name}
                  >
                    <BreakableName name={name} />
                    <small>{series}</small>
                  </button>
                ))}
              </div>
            );
          })}
          {full && <p className={styles.search}>{t("full")}</p>}
        </section>
      </div>
    </Panel>
  );
}
