"use client";
import { Button, CloseButton } from "@mantine/core";
import Link from "next/link";
import { useLocale, useTranslations } from "use-intl";
import type { BrokenCaller, StrictPreview } from "../../server/contract/index.ts";
import { Sample } from "../advice/rule-list.tsx";
import { newStrictHref, objectHref } from "../lib/links.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { formatSpan } from "../ui/format.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { Count } from "./count.tsx";
import styles from "./security.module.css";
import { strictTarget, useStrictPreview } from "./security-queries.ts";
import { WorkloadName } from "./workload-name.tsx";

/** What STRICT would break of what was recorded, before it is made; `target`: `<namespace>`, `<namespace>/<workload>`, or empty for the mesh. */
export function StrictPanel({ target, range }: { target: string; range: TimeRange }) {
  const t = useTranslations("security");
  const url = useUrlState();
  const may = useMay();
  const live = useStrictPreview(target, range);
  const policy = live.data?.policy;
  return (
    <Panel
      data-testid="strict-preview"
      title={t("strict-title", { target: target || t("whole-mesh") })}
      hint={policy && `${policy.namespace}/${policy.name}`}
      actions={
        <>
          <Button
            component={Link}
            href={newStrictHref(strictTarget(target))}
            prefetch={false}
            size="compact-sm"
            data-testid="strict-write"
          >
            {t(may("operator") ? (policy?.exists ? "strict-change" : "strict-write") : "strict-read")}
          </Button>
          <CloseButton size="sm" aria-label={t("strict-close")} onClick={() => url.set({ strict: null })} />
        </>
      }
    >
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={96} />}>
        {(preview) => <Preview preview={preview} range={range} />}
      </LiveContent>
    </Panel>
  );
}

type Broken = BrokenCaller & { destination: string };

function Preview({ preview, range }: { preview: StrictPreview; range: TimeRange }) {
  const t = useTranslations("security");
  const locale = useLocale();
  const { workloads, kept } = preview;
  const broken = workloads
    .flatMap((one) => one.broken.map((caller): Broken => ({ ...caller, destination: `${one.namespace}/${one.name}` })))
    .toSorted((a, b) => b.calls - a.calls);
  const calls = workloads.reduce((sum, one) => sum + one.calls, 0);
  const count = broken.reduce((sum, one) => sum + one.calls, 0);
  const unguarded = workloads.filter(({ proxy }) => proxy === "none").map(({ name }) => name);
  const span = formatSpan(range.windowSec, locale);
  return (
    <div className={styles.stack}>
      <p className={styles.verdict} data-tone={count > 0 ? "bad" : "ok"} data-testid="strict-verdict">
        {workloads.length === 0
          ? t("strict-nothing")
          : t("strict-verdict", { workloads: workloads.length, calls, count, span })}
      </p>
      {broken.length > 0 && <BrokenTable rows={broken} />}
      {unguarded.length > 0 && <p className={styles.quiet}>{t("strict-no-proxy", { names: unguarded.join(", ") })}</p>}
      {kept.length > 0 && (
        <details className={styles.quiet}>
          <summary>{t("strict-kept", { count: kept.length })}</summary>
          <ul className={styles.ports}>
            {kept.flatMap(({ namespace, name, ports }) =>
              ports.map(({ port, mode, by }) => (
                <li key={`${namespace}/${name}:${port}`}>
                  <WorkloadName of={`${namespace}/${name}`} /> <span className="mono">:{port}</span> {t(`mode-${mode}`)}{" "}
                  {by && (
                    <ObjectLink className="link" href={objectHref("PeerAuthentication", by.namespace, by.name)}>
                      {by.namespace}/{by.name}
                    </ObjectLink>
                  )}
                </li>
              )),
            )}
          </ul>
        </details>
      )}
      <p className={styles.quiet}>{t("strict-silent", { span })}</p>
    </div>
  );
}

function BrokenTable({ rows }: { rows: readonly Broken[] }) {
  const t = useTranslations("security");
  const columns: Column<Broken>[] = [
    {
      key: "caller",
      header: t("col-caller"),
      phone: "title",
      cell: ({ caller, destination }) => (
        <>
          <WorkloadName of={caller} /> → <WorkloadName of={destination} />
        </>
      ),
    },
    { key: "calls", header: t("col-calls"), align: "right", cell: ({ calls }) => <Count value={calls} tone="bad" /> },
    { key: "why", header: t("col-why"), cell: ({ why }) => t(`why-${why}`) },
    { key: "last", header: t("col-last"), cell: ({ sample }) => sample && <Sample sample={sample} /> },
  ];
  return (
    <div className={styles.framed}>
      <DataTable
        caption={t("strict-broken")}
        columns={columns}
        rows={rows}
        rowKey={({ caller, destination, why }) => `${caller} ${destination} ${why}`}
        rowProps={({ caller }) => ({ "data-broken": caller })}
      />
    </div>
  );
}
