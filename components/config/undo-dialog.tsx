"use client";
import { useTranslations } from "use-intl";
import type { ApiError, Change, ChangeResult } from "../../server/contract/index.ts";
import { Moment } from "../ui/quantity.tsx";
import { useAuthor, useChangeText } from "./change-text.ts";
import { PlanDialog } from "./plan-dialog.tsx";
import styles from "./undo-dialog.module.css";

export interface UndoDialogProps {
  revision: number;
  /** What undoing would write; null: it can't be undone, or nobody can tell. */
  plan: ChangeResult | null;
  error: ApiError | null;
  busy: boolean;
  onUndo: () => void;
  onClose: () => void;
}

/** Whose change is taken back, what was written over it since, what that does, and what speaks against it. */
export function UndoDialog({ revision, plan, error, busy, onUndo, onClose }: UndoDialogProps) {
  const t = useTranslations("undo");
  const since = plan?.undo?.since ?? [];
  const doing =
    since.length > 0 ? t("do-over", { count: since.length }) : plan ? t("do", { count: plan.proxies }) : t("do-plain");
  return (
    <PlanDialog
      title={t("title", { revision })}
      plan={plan}
      error={error}
      busy={busy}
      doing={doing}
      onDo={onUndo}
      onClose={onClose}
      data-testid="undo-dialog"
    >
      {plan?.undo && <Taken change={plan.undo.change} />}
      {since.length > 0 && (
        <div className={styles.since} role="alert" data-testid="undo-since">
          <p>{t("since", { count: since.length })}</p>
          <ul>
            {since.slice(0, 8).map((change) => (
              <li key={change.revision}>
                <Line change={change} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </PlanDialog>
  );
}

function Taken({ change }: { change: Change }) {
  const t = useTranslations("undo");
  return (
    <p className={styles.taken}>
      {t("takes-back")} <Line change={change} />
    </p>
  );
}

function Line({ change }: { change: Change }) {
  const said = useChangeText();
  const authorOf = useAuthor();
  return (
    <>
      <b>{said(change)}</b>{" "}
      <span className="muted">
        {authorOf(change.author)} · <Moment ms={change.at} />
      </span>
    </>
  );
}
