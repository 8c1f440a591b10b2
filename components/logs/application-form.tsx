"use client";
import { NativeSelect } from "@mantine/core";
import { useTranslations } from "use-intl";
import { severities } from "../../server/contract/index.ts";
import { useUrlState } from "../lib/url-state.ts";
import { NoMatch } from "../list/no-match.tsx";
import { EmptyState } from "../ui/states.tsx";
import { applicationParams } from "./application-query.ts";
import { TextParam } from "./form-fields.tsx";
import styles from "./logs.module.css";

/** That there are no lines, or none of what was searched for. */
export function NoLines() {
  const t = useTranslations("logs");
  const url = useUrlState();
  return applicationParams.some((name) => url.get(name)) ? (
    <NoMatch title={t("applications-no-match")} filters={applicationParams} />
  ) : (
    <EmptyState title={t("applications-empty")}>{t("applications-empty-text")}</EmptyState>
  );
}

/** What applications' lines are searched by. */
export function ApplicationForm() {
  const t = useTranslations("logs");
  const url = useUrlState();
  return (
    <search className={styles.form} aria-label={t("search-applications")}>
      <div className={styles.fields}>
        <Text name="text" wide />
        <Text name="service" />
        <NativeSelect
          size="xs"
          label={t("param-severity")}
          value={url.get("severity") ?? ""}
          onChange={({ currentTarget }) => url.set({ severity: currentTarget.value || null })}
          data={[
            { value: "", label: t("any") },
            ...Object.keys(severities).map((name) => ({ value: name, label: name.toUpperCase() })),
          ]}
          data-testid="applications-severity"
        />
        <Text name="trace" />
      </div>
    </search>
  );
}

function Text({ name, wide = false }: { name: "text" | "service" | "trace"; wide?: boolean }) {
  const label = useTranslations("logs")(`param-${name}`);
  return <TextParam name={name} label={label} wide={wide} data-testid={`applications-${name}`} />;
}
