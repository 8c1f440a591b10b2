"use client";
import Link from "next/link";
import { useLocale, useTranslations } from "use-intl";
import type { RefusalGroup, RefusedCaller } from "../../server/contract/index.ts";
import { Sample } from "../advice/rule-list.tsx";
import { logsOfHref, ruleHref } from "../lib/links.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { formatDateTime } from "../ui/format.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { rangeParams, type TimeRange } from "../ui/time-range.ts";
import { Count } from "./count.tsx";
import styles from "./security.module.css";
import { WorkloadName } from "./workload-name.tsx";

/** All that one rule refused, with its line of YAML and its lines of the log. */
export function RefusalPanel({ group, range }: { group: RefusalGroup; range: TimeRange }) {
  const t = useTranslations("security");
  const locale = useLocale();
  const { kind, by, details, calls, lastAt, callers } = group;
  return (
    <Panel
      flush
      data-testid="refusal-group"
      title={t(`refused-${kind}`)}
      hint={
        <span className={styles.blamed}>
          {by.map((rule, index) => (
            <span key={`${rule.namespace}/${rule.name}`}>
              {index > 0 && ", "}
              <ObjectLink className="link" href={ruleHref(rule)} data-testid="refusal-rule">
                {rule.namespace}/{rule.name} {rule.rule && <span className="mono">{rule.rule}</span>}
              </ObjectLink>
            </span>
          ))}
          {kind === "token" && <span className="mono"> {/\{(.*)\}/.exec(details)?.[1]?.replaceAll("_", " ")}</span>}
        </span>
      }
      actions={
        <>
          <span suppressHydrationWarning>
            {t(kind === "strict" ? "refused-connections" : "refused-count", { count: calls })}
            {lastAt !== null && ` · ${t("last-at", { time: formatDateTime(lastAt, locale) })}`}
          </span>
          {details !== "" && (
            <Link
              className="link"
              href={logsOfHref({ ...given(rangeParams(range)), details })}
              prefetch={false}
              data-testid="refusal-logs"
            >
              {t("to-logs")}
            </Link>
          )}
        </>
      }
    >
      <Callers callers={callers} />
    </Panel>
  );
}

const given = (params: Record<string, string | null>): Record<string, string> =>
  Object.fromEntries(Object.entries(params).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));

function Callers({ callers }: { callers: readonly RefusedCaller[] }) {
  const t = useTranslations("security");
  const columns: Column<RefusedCaller>[] = [
    {
      key: "caller",
      header: t("col-caller"),
      phone: "title",
      cell: ({ caller, mtls, destination }) => (
        <>
          <WorkloadName of={caller} /> → <WorkloadName of={destination} />
          {!mtls && <span className="muted"> {t("in-plain-text")}</span>}
        </>
      ),
    },
    { key: "calls", header: t("col-calls"), align: "right", cell: ({ calls }) => <Count value={calls} /> },
    { key: "last", header: t("col-last"), cell: ({ sample }) => sample && <Sample sample={sample} to="line" /> },
  ];
  return (
    <DataTable
      caption={t("col-caller")}
      columns={columns}
      rows={callers}
      rowKey={({ caller, mtls, destination, sample }) =>
        `${caller} ${mtls} ${destination} ${sample?.method} ${sample?.path}`
      }
      rowProps={({ caller }) => ({ "data-refused": caller })}
    />
  );
}
