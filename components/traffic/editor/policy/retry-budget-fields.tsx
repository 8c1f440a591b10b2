"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { Section } from "../fields/section.tsx";

/** How many retries there may be beside so many requests. */
export function RetryBudgetFields({ path, of }: { path: Path; of: string }) {
  const t = useTranslations("form");
  return (
    <Section title={t("retry-budget")} paths={[path]} testId={`section-budget-${of}`}>
      <p className={styles.note}>{t("retry-budget-note")}</p>
      <div className={styles.grid}>
        <NumberField
          path={[...path, "percent"]}
          label={t("retry-budget-share")}
          max={100}
          suffix=" %"
          decimals
          placeholder="20 %"
        />
        <NumberField path={[...path, "minRetryConcurrency"]} label={t("retry-budget-least")} placeholder="3" />
      </div>
    </Section>
  );
}
