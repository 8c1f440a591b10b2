"use client";
import { TextInput } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { Trace } from "../../server/contract/index.ts";
import { traceHref } from "../lib/links.ts";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
import { LiveContent } from "../list/live-content.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { type ComparedOperation, compareTraces, type OperationSide } from "./compare-traces.ts";
import styles from "./trace.module.css";
import { useTrace } from "./trace-queries.ts";

/** This trace beside another, `with` in the URL: what was done how often, and how long it took. */
export function ComparePanel({ trace }: { trace: Trace }) {
  const t = useTranslations("traces");
  const url = useUrlState();
  const other = url.get("with") ?? "";
  const live = useTrace(other, undefined, other !== "");
  const columns = useColumns();
  return (
    <Panel
      title={t("compare")}
      hint={
        other !== "" && (
          <ObjectLink className="link mono" href={`${traceHref(other)}?with=${trace.traceId}`}>
            {other.slice(0, 8)}…
          </ObjectLink>
        )
      }
      actions={
        other !== "" && (
          <PillButton onClick={() => url.set({ with: null }, "push")} data-testid="compare-end">
            {t("compare-end")}
          </PillButton>
        )
      }
      flush={other !== ""}
      data-testid="compare"
    >
      {other === "" ? (
        <Choose />
      ) : (
        <LiveContent live={live} unreadable={t("one-unreadable")} skeleton={<TableSkeleton rows={6} columns={5} />}>
          {(found) => (
            <DataTable
              caption={t("compare")}
              columns={columns}
              rows={compareTraces(trace, found)}
              rowKey={({ key }) => key}
            />
          )}
        </LiveContent>
      )}
    </Panel>
  );
}

function Choose() {
  const t = useTranslations("traces");
  const url = useUrlState();
  return (
    <form
      className={styles.with}
      onSubmit={(event) => {
        event.preventDefault();
        url.set({ with: String(new FormData(event.currentTarget).get("with") ?? "").trim() }, "push");
      }}
    >
      <TextInput
        ref={useFollowing("")}
        size="xs"
        name="with"
        aria-label={t("compare-with")}
        placeholder={t("compare-with")}
        required
        pattern="[0-9a-fA-F]{32}|[0-9a-fA-F]{16}"
        data-testid="compare-with"
      />
      <PillButton type="submit">{t("compare-do")}</PillButton>
    </form>
  );
}

function useColumns(): Column<ComparedOperation>[] {
  const t = useTranslations("traces");
  const side = (key: "here" | "there"): Column<ComparedOperation> => ({
    key,
    header: t(key),
    align: "right",
    cell: (row) => <Side side={row[key]} />,
  });
  return [
    {
      key: "operation",
      header: t("operation"),
      phone: "title",
      cell: ({ service, name }) => (
        <>
          {service} <span className="muted">{name}</span>
        </>
      ),
    },
    side("here"),
    side("there"),
    {
      key: "more",
      header: t("difference"),
      align: "right",
      cell: ({ moreMs }) => (
        <span className={moreMs > 0 ? styles.more : moreMs < 0 ? styles.less : undefined}>
          {moreMs > 0 ? "+" : moreMs < 0 ? "−" : ""}
          <NumberWithUnit value={Math.abs(moreMs)} kind="ms" />
        </span>
      ),
    },
  ];
}

function Side({ side }: { side: OperationSide | null }) {
  const t = useTranslations("traces");
  if (!side) return <span className="muted">{t("none-there")}</span>;
  return (
    <>
      <span className="num">{side.count} ×</span> <NumberWithUnit value={side.totalMs} kind="ms" />
      {side.errors > 0 && <span className={styles.more}> {t("errors-count", { count: side.errors })}</span>}
    </>
  );
}
