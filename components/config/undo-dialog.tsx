"use client";
import { Button, Modal } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useTranslations } from "use-intl";
import type { ApiError, Change, ChangeResult } from "../../server/contract/index.ts";
import { ChangeSafety, SafeButton } from "./change-safety.tsx";
import { useAuthor, useChangeText } from "./change-text.ts";
import { FieldErrors } from "./field-errors.tsx";
import { Moment } from "./moment.tsx";
import styles from "./undo-dialog.module.css";
import { ObjectDiffs } from "./yaml-diff.tsx";

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
  const common = useTranslations("ui");
  const phone = useMediaQuery("(max-width: 640px)", false);
  const since = plan?.undo?.since ?? [];
  return (
    <Modal
      opened
      onClose={onClose}
      size={680}
      fullScreen={phone}
      padding={0}
      title={t("title", { revision })}
      classNames={{ header: styles.header ?? "" }}
      closeButtonProps={{ "aria-label": common("close") }}
    >
      <div data-testid="undo-dialog">
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
        {error && <FieldErrors error={error} />}
        <ChangeSafety plan={plan} />
        {plan && <div className={styles.diff}>{<ObjectDiffs objects={plan.objects} />}</div>}
        <footer className={styles.footer}>
          <SafeButton
            plan={plan}
            onPress={onUndo}
            loading={busy}
            disabled={!plan || plan.objects.length === 0}
            data-testid="undo-confirm"
            data-autofocus
          >
            {since.length > 0
              ? t("do-over", { count: since.length })
              : plan
                ? t("do", { count: plan.proxies })
                : t("do-plain")}
          </SafeButton>
          <Button variant="subtle" color="gray" onClick={onClose} disabled={busy}>
            {t("cancel")}
          </Button>
        </footer>
      </div>
    </Modal>
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
