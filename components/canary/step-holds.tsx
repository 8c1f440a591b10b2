"use client";
import { Select } from "@mantine/core";
import { useLocale, useTranslations } from "use-intl";
import { formatSpan } from "../ui/format.ts";
import styles from "./canary.module.css";
import { type CanaryDraft, holds, weightsOf } from "./canary-draft.ts";

/** How long each step holds, for those that shall hold longer or shorter than the others. */
export function StepHolds({ draft, onChange }: { draft: CanaryDraft; onChange: (draft: CanaryDraft) => void }) {
  const t = useTranslations("canary");
  const locale = useLocale();
  return (
    <details className={styles.holds} data-testid="canary-holds">
      <summary>{t("holds")}</summary>
      <div className={styles.fields}>
        {weightsOf(draft.weights).map((weight, index) => (
          <Select
            // biome-ignore lint/suspicious/noArrayIndexKey: a step is its place
            key={index}
            label={t("hold-at", { step: index + 1, weight })}
            data={Object.entries(holds).map(([value, seconds]) => ({ value, label: formatSpan(seconds, locale) }))}
            value={draft.holds[index] ?? draft.hold}
            onChange={(value) => value !== null && onChange({ ...draft, holds: { ...draft.holds, [index]: value } })}
            allowDeselect={false}
            data-testid={`canary-hold-${index}`}
          />
        ))}
      </div>
    </details>
  );
}
