"use client";
import { NativeSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useTranslations } from "use-intl";
import { type ApplicationLogPage, severities } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { useApplicationLogs } from "./application-queries.ts";
import { applicationParams, applicationQuery } from "./application-query.ts";
import { ApplicationTable } from "./application-table.tsx";
import { TextParam, WindowSelect } from "./form-fields.tsx";
import styles from "./logs.module.css";

const narrowing = applicationParams.filter((name) => name !== "window");

/** What applications wrote, searched by what they said. It stands still while a line is open. */
export function ApplicationLines({
  initial,
  initialQuery,
}: {
  initial: Settled<ApplicationLogPage> | undefined;
  initialQuery: string;
}) {
  const t = useTranslations("logs");
  const url = useUrlState();
  const [query] = useDebouncedValue(
    applicationQuery((name) => url.get(name)),
    250,
  );
  const opened = url.get("open");
  const live = useApplicationLogs(query, {
    everyMs: opened === null ? 3000 : null,
    initial: query === initialQuery ? initial : undefined,
  });
  return (
    <>
      <ApplicationForm />
      <Panel flush title={t("applications")} hint={t("applications-hint")}>
        <LiveContent
          live={live}
          unreadable={t("unreadable")}
          skeleton={<TableSkeleton rows={20} columns={4} rowHeight={37} />}
        >
          {({ lines, full }) =>
            lines.length === 0 ? (
              narrowing.some((name) => url.get(name)) ? (
                <NoMatch title={t("applications-no-match")} filters={narrowing} />
              ) : (
                <EmptyState title={t("applications-empty")}>{t("applications-empty-text")}</EmptyState>
              )
            ) : (
              <>
                <ApplicationTable lines={lines} opened={opened} onOpen={(open) => url.set({ open }, "push")} />
                <div className={styles.end}>
                  <span className="muted">{t(full ? "applications-full" : "end", { count: lines.length })}</span>
                </div>
              </>
            )
          }
        </LiveContent>
      </Panel>
    </>
  );
}

function ApplicationForm() {
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
        <WindowSelect data-testid="applications-window" />
      </div>
    </search>
  );
}

function Text({ name, wide = false }: { name: "text" | "service" | "trace"; wide?: boolean }) {
  const label = useTranslations("logs")(`param-${name}`);
  return <TextParam name={name} label={label} wide={wide} data-testid={`applications-${name}`} />;
}
