"use client";
import { useTranslations } from "use-intl";
import type { PushSummary } from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment, NumberWithUnit } from "../ui/quantity.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./push-history.module.css";

/** How each change went out, the newest first: whom it concerned, how long it took, and who refused it in which words. */
export function PushHistory({ pushes }: { pushes: readonly PushSummary[] }) {
  const t = useTranslations("proxies");
  const authorOf = useAuthor();
  const columns: Column<PushSummary>[] = [
    {
      key: "revision",
      header: t("push-revision"),
      phone: "title",
      cell: ({ revision, committedAt }) => (
        <>
          <span className="num">{revision}</span>{" "}
          <span className="muted">
            <Moment ms={committedAt} />
          </span>
        </>
      ),
    },
    { key: "author", header: t("push-author"), cell: ({ author }) => authorOf(author) },
    {
      key: "reached",
      header: t("push-reached"),
      cell: (push) => (
        <>
          {push.proxies === 0 ? (
            <span className="muted">{t("push-nobody")}</span>
          ) : (
            t("push-of", { acked: push.acked, proxies: push.proxies })
          )}
          {push.trouble.length > 0 && <Trouble push={push} />}
        </>
      ),
    },
    {
      key: "took",
      header: t("push-took"),
      align: "right",
      cell: ({ ms, proxies }) => <NumberWithUnit value={proxies === 0 ? null : ms} kind="ms" />,
    },
  ];
  return (
    <div className={styles.panel}>
      <Panel title={t("pushes")} hint={t("pushes-hint")} flush>
        {/* Keyboards scroll what can be focused. */}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls */}
        <section data-testid="push-history" className={styles.pushes} tabIndex={0} aria-label={t("pushes")}>
          <DataTable
            caption={t("pushes")}
            columns={columns}
            rows={pushes.slice(0, shownAtMost)}
            rowKey={({ revision }) => String(revision)}
            empty={<EmptyState title={t("pushes-none")}>{t("pushes-none-text")}</EmptyState>}
          />
        </section>
      </Panel>
    </div>
  );
}

const shownAtMost = 50;

function Trouble({ push }: { push: PushSummary }) {
  const t = useTranslations("proxies");
  return (
    <ul className={styles.trouble}>
      {push.trouble.map(({ id, name, state, error }) => (
        <li key={id} data-state={state}>
          {name}: {state !== "acked" && t(`push-${state}`)}
          {error && <span className={styles.detail}>{error}</span>}
        </li>
      ))}
    </ul>
  );
}
