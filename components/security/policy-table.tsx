"use client";
import { useTranslations } from "use-intl";
import type { PolicyEffect, PolicyReport } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { objectHref } from "../lib/links.ts";
import { LiveContent } from "../list/live-content.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import type { Column } from "../ui/data-table.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { Count } from "./count.tsx";
import { usePolicyEffects } from "./security-queries.ts";

/** Every AuthorizationPolicy: what it let in and refused, and what one on trial would have refused. */
export function PolicyTable({ range, initial }: { range: TimeRange; initial: Settled<PolicyReport> | undefined }) {
  const t = useTranslations("security");
  const live = usePolicyEffects(range, initial);
  return (
    <Panel
      flush
      title={t("policies")}
      hint={
        live.data && !live.data.evidence.complete && live.data.policies.length > 0
          ? t("incomplete", { lines: live.data.evidence.lines, calls: live.data.evidence.calls })
          : t("policies-hint")
      }
      data-testid="policy-effects"
    >
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={2} columns={5} />}>
        {({ policies }) => (
          <SortedTable
            caption={t("policies")}
            columns={columnsOf(t)}
            rows={policies}
            rowKey={({ namespace, name }) => `${namespace}/${name}`}
            defaultSort=""
            rowProps={({ namespace, name }) => ({ "data-policy": `${namespace}/${name}` })}
            empty={<EmptyState title={t("no-policies")}>{t("no-policies-text")}</EmptyState>}
          />
        )}
      </LiveContent>
    </Panel>
  );
}

const columnsOf = (t: ReturnType<typeof useTranslations<"security">>): Column<PolicyEffect>[] => [
  {
    key: "policy",
    header: t("col-policy"),
    phone: "title",
    sortValue: ({ namespace, name }) => `${namespace}/${name}`,
    cell: ({ namespace, name }) => (
      <>
        <ObjectLink className="link" href={objectHref("AuthorizationPolicy", namespace, name)}>
          {name}
        </ObjectLink>{" "}
        <span className="muted mono">{namespace}</span>
      </>
    ),
  },
  {
    key: "action",
    header: t("col-action"),
    cell: ({ action, dryRun }) => (
      <>
        {action} {dryRun && <span className="muted">{t("on-trial")}</span>}
      </>
    ),
  },
  {
    key: "allowed",
    header: t("col-allowed"),
    align: "right",
    sortValue: ({ allowed }) => allowed,
    cell: ({ allowed }) => <Count value={allowed} />,
  },
  {
    key: "refused",
    header: t("col-refused"),
    align: "right",
    sortValue: ({ refused }) => refused,
    cell: ({ refused }) => <Count value={refused} tone="bad" />,
  },
  {
    key: "trial",
    header: t("col-trial"),
    cell: ({ trial }) =>
      trial ? t("would-refuse", { count: trial.wouldRefuse, judged: trial.judged }) : <span className="muted">–</span>,
  },
];
