"use client";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { useFocusWhenLost } from "../lib/use-focus-when-lost.ts";
import { Panel } from "../ui/panel.tsx";
import { ChangeSafety } from "./change-safety.tsx";
import { type ChangeView, ChangeViews } from "./change-views.tsx";
import styles from "./config.module.css";
import { FieldErrors } from "./field-errors.tsx";
import { PlanDiff } from "./plan-diff.tsx";
import { Refusals } from "./refusals.tsx";
import { SafetyFooter } from "./safety-footer.tsx";
import type { ApplyState } from "./use-apply.ts";

export interface SafetyPanelProps {
  /** There is something to apply. */
  dirty: boolean;
  state: ApplyState;
  onApply: () => void;
  /** After the last change was taken back. */
  onUndone?: () => void;
  /** Left out: there is nothing to go back to. */
  onDiscard?: (() => void) | undefined;
  /** Whether that would lose something that somebody has typed: it asks first. Default: true. */
  typed?: boolean;
  /** Somebody else has written meanwhile; the way out is the caller's. */
  conflict?: ReactNode;
  /** Of the diff; left out: the YAML's alone. */
  view?: ChangeView;
  onView?: (view: ChangeView) => void;
}

/** What every change goes by before it is made: errors, warnings, who loses traffic, the diff; after it who refused it, and the way back. */
export function SafetyPanel(props: SafetyPanelProps) {
  const { dirty, state, conflict, view = "yaml", onView } = props;
  const t = useTranslations("config");
  const { plan, error, errors, checking, revision } = state;
  const [discarded, setDiscarded] = useState(false);
  // Where Discard was nothing is left: reading goes on from what is said in its place.
  const said = useFocusWhenLost<HTMLParagraphElement>(discarded && !dirty);
  const onDiscard =
    props.onDiscard &&
    (() => {
      setDiscarded(true);
      props.onDiscard?.();
    });
  const unplaced = error && (errors.length === 0 || errors.some(({ text }) => text === null));
  return (
    <Panel
      title={t("change")}
      hint={dirty && plan?.objects.map(({ kind, name }) => `${kind} ${name}`).join(", ")}
      actions={dirty && onView && <ChangeViews view={view} onView={onView} />}
      flush
      footer={(dirty || revision !== null) && <SafetyFooter {...props} onDiscard={onDiscard} />}
      data-testid="safety"
    >
      {conflict}
      {unplaced && !conflict && <FieldErrors error={error} />}
      {errors.length > 0 && (
        <p className={styles.says} aria-hidden>
          {t("wrong", { count: errors.length })}
        </p>
      )}
      {dirty && <ChangeSafety plan={plan} />}
      {dirty && plan && <PlanDiff plan={plan} view={view} />}
      {dirty && !plan && !error && <p className={styles.says}>{checking ? t("checking") : t("write-first")}</p>}
      {!dirty && revision !== null && <Refusals revision={revision} />}
      {/* Always there, so that what is written into it is announced. */}
      <p
        ref={said}
        tabIndex={-1}
        className={dirty ? "visually-hidden" : styles.says}
        role="status"
        data-testid="editor-status"
      >
        {dirty
          ? errors.length > 0
            ? t("wrong", { count: errors.length })
            : ""
          : revision === null
            ? t("edit-first")
            : t("applied", { revision })}
      </p>
    </Panel>
  );
}
