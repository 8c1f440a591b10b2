"use client";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { use } from "react";
import { useTranslations } from "use-intl";
import {
  type AuditAction,
  type AuditEntry,
  type AuditPage as AuditList,
  auditActions,
  auditResults,
} from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import type { Settled } from "../lib/api.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./access.module.css";
import { useAudit } from "./access-queries.ts";
import { type AuditFilter, auditFilter, auditQuery } from "./audit-filter.ts";

export interface AuditPageProps {
  initial: Promise<Settled<AuditList> | undefined>;
  initialFilter: AuditFilter;
}

const isSame = (a: AuditFilter, b: AuditFilter): boolean =>
  new URLSearchParams(auditQuery(a)).toString() === new URLSearchParams(auditQuery(b)).toString();

/** Who came in and who wrote what, newest first. Filters and place are in the URL. */
export function AuditPage({ initial, initialFilter }: AuditPageProps) {
  const t = useTranslations("audit");
  const url = useUrlState();
  const filter = auditFilter(url.get);
  const first = use(initial);
  const live = useAudit(filter, isSame(filter, initialFilter) ? first : undefined);
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <TextInput
          aria-label={t("actor")}
          placeholder={t("actor")}
          defaultValue={filter.actor}
          onBlur={(event) => url.set({ actor: event.currentTarget.value.trim() || null, before: null })}
          onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
          data-testid="audit-actor"
        />
        <NativeSelect
          aria-label={t("result")}
          value={filter.result}
          onChange={(event) => url.set({ result: event.currentTarget.value || null, before: null })}
          data={[
            { value: "", label: t("any-result") },
            ...auditResults.map((one) => ({ value: one, label: t(`result-${one}`) })),
          ]}
        />
      </PageHeader>
      <LiveContent
        live={live}
        unreadable={t("unreadable")}
        skeleton={
          <Panel flush>
            <TableSkeleton rows={8} columns={5} />
          </Panel>
        }
      >
        {({ entries, more, keptDays, keptEntries }) => (
          <Panel
            flush
            footer={<Foot more={more} last={entries.at(-1)?.id} kept={{ days: keptDays, entries: keptEntries }} />}
          >
            <Entries entries={entries} />
          </Panel>
        )}
      </LiveContent>
    </Page>
  );
}

function Entries({ entries }: { entries: readonly AuditEntry[] }) {
  const t = useTranslations("audit");
  const authorOf = useAuthor();
  // A machine's own token is called as the way it comes by.
  const wayText = (way: string, actor: string) => (way === actor ? "" : isWay(way) ? t(`way-${way}`) : way);
  const reasonText = (reason: string) => {
    const [, revision] = /^revision ([\d, ]+)$/.exec(reason) ?? [];
    return revision === undefined ? reason : t("revision", { revision });
  };
  const columns: Column<AuditEntry>[] = [
    { key: "at", header: t("at"), width: 130, cell: ({ at }) => <Moment ms={at} /> },
    {
      key: "actor",
      header: t("col-actor"),
      width: 190,
      cell: ({ actor, way, address }) => (
        <>
          <b>{actor ? authorOf(actor) : t("nobody")}</b>{" "}
          <span className="muted">{[wayText(way, actor), address].filter((text) => text !== "").join(" · ")}</span>
        </>
      ),
    },
    { key: "action", header: t("action"), phone: "title", cell: (entry) => <Action entry={entry} /> },
    {
      key: "result",
      header: t("col-result"),
      width: 150,
      cell: ({ result, reason }) => (
        <span className={result === "done" ? undefined : styles[result]}>
          {t(`result-${result}`)} {reason && <span className="muted">{reasonText(reason)}</span>}
        </span>
      ),
    },
  ];
  return (
    <DataTable
      caption={t("title")}
      columns={columns}
      rows={entries}
      rowKey={({ id }) => String(id)}
      rowProps={({ action }) => ({ "data-action": action })}
      empty={<EmptyState title={t("none")} />}
    />
  );
}

const ways = ["password", "link", "oidc", "token", "machine", "local"] as const;
const isWay = (way: string): way is (typeof ways)[number] => (ways as readonly string[]).includes(way);

/** Every one of them has its words; by its method and path stands what was tried at an address alone. */
type Does<Action extends string> = Action extends `${infer What}.${infer Rest}` ? `${What}-${Rest}` : Action;
const isNamed = (action: string): action is AuditAction => (auditActions as readonly string[]).includes(action);
const doesKey = (action: AuditAction) => action.replace(".", "-") as Does<AuditAction>;
/** A write of config that came to nothing: the result says so. */
const triedWrite = /^(?:POST|PUT|PATCH|DELETE) config$/;

function Action({ entry: { action, target, diff } }: { entry: AuditEntry }) {
  const t = useTranslations("audit");
  const named = triedWrite.test(action) ? "config.write" : action;
  return (
    <>
      {isNamed(named) ? t(`does-${doesKey(named)}`) : <code className="mono">{action}</code>}{" "}
      <span className={styles.target}>{target.replaceAll("//", "/")}</span>
      {diff && (
        <details>
          <summary>{t("diff")}</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
          <pre className={styles.diff} tabIndex={0}>
            {diff}
          </pre>
        </details>
      )}
    </>
  );
}

function Foot({
  more,
  last,
  kept,
}: {
  more: boolean;
  last: number | undefined;
  kept: { days: number; entries: number };
}) {
  const t = useTranslations("audit");
  const url = useUrlState();
  return (
    <div className={styles.actions}>
      <span className="muted">{t("kept", kept)}</span>
      {url.get("before") !== null && (
        <Button size="compact-sm" variant="default" onClick={() => url.set({ before: null }, "push")}>
          {t("newest")}
        </Button>
      )}
      {more && (
        <Button size="compact-sm" variant="default" onClick={() => url.set({ before: String(last) }, "push")}>
          {t("older")}
        </Button>
      )}
    </div>
  );
}
