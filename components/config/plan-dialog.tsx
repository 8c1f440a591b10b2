"use client";
import { Button, Modal } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import type { ApiError, ChangeResult } from "../../server/contract/index.ts";
import { ChangeSafety, SafeButton } from "./change-safety.tsx";
import { type ChangeView, ChangeViews } from "./change-views.tsx";
import { FieldErrors } from "./field-errors.tsx";
import styles from "./plan-dialog.module.css";
import { PlanDiff } from "./plan-diff.tsx";

export interface PlanDialogProps {
  title: string;
  /** What would be written; null: it can't be, or nobody can tell. */
  plan: ChangeResult | null;
  error: ApiError | null;
  busy: boolean;
  /** What the button says. */
  doing: string;
  onDo: () => void;
  onClose: () => void;
  /** What is to be said before what speaks against it. */
  children?: ReactNode;
  /** The address opens it: it stands in the page itself, so that the server can write it. */
  inPage?: boolean;
  "data-testid": string;
}

/** What a change would write, what that does to traffic, and what speaks against it, before it is written. */
export function PlanDialog({
  title,
  plan,
  error,
  busy,
  doing,
  onDo,
  onClose,
  children,
  inPage,
  ...rest
}: PlanDialogProps) {
  const t = useTranslations("undo");
  const common = useTranslations("ui");
  const phone = useMediaQuery("(max-width: 640px)", false);
  const [view, setView] = useState<ChangeView>("yaml");
  const isReady = plan !== null && plan.objects.length > 0;
  const testId = rest["data-testid"];
  return (
    <Modal
      opened
      onClose={onClose}
      size={680}
      fullScreen={phone}
      padding={0}
      withinPortal={!inPage}
      title={title}
      classNames={{ header: styles.header ?? "", inner: styles.inner ?? "" }}
      closeButtonProps={{ "aria-label": common("close") }}
    >
      <div data-testid={testId}>
        {children}
        {error && <FieldErrors error={error} />}
        <ChangeSafety plan={plan} />
        {plan && (
          <>
            <p className={styles.views}>
              <ChangeViews view={view} onView={setView} />
            </p>
            <div className={styles.diff}>
              <PlanDiff plan={plan} view={view} />
            </div>
          </>
        )}
        <footer className={styles.footer}>
          <SafeButton
            plan={plan}
            onPress={onDo}
            loading={busy}
            disabled={!isReady}
            data-testid={testId.replace(/-dialog$/, "-confirm")}
            {...(isReady && { "data-autofocus": true })}
          >
            {doing}
          </SafeButton>
          <Button variant="subtle" color="gray" onClick={onClose} disabled={busy}>
            {t("cancel")}
          </Button>
        </footer>
      </div>
    </Modal>
  );
}
