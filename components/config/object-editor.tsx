"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { useFocusWhenLost } from "../lib/use-focus-when-lost.ts";
import { PushCard } from "../traffic/push-card.tsx";
import { Panel } from "../ui/panel.tsx";
import { ChangeSafety, SafeButton } from "./change-safety.tsx";
import styles from "./config.module.css";
import { deadShares } from "./dead-shares.ts";
import { FieldErrors } from "./field-errors.tsx";
import { useLaterChange } from "./undo-button.tsx";
import type { ApplyState } from "./use-apply.ts";
import { useUndo } from "./use-undo.tsx";
import { ObjectDiffs } from "./yaml-diff.tsx";
import { YamlEditor } from "./yaml-editor.tsx";

export interface ObjectEditorProps {
  title: string;
  hint?: string;
  text: string;
  onText: (text: string) => void;
  dirty: boolean;
  state: ApplyState;
  onApply: () => void;
  /** After the last change was taken back. */
  onUndone?: () => void;
  onDiscard: () => void;
  /** To be shown and marked, counting from one. */
  line?: number | null;
  /** Somebody else has written meanwhile; the way out is the caller's. */
  conflict?: React.ReactNode;
}

/** Text on the left; what applying it would write, and how that reached the fleet, on the right. */
export function ObjectEditor(props: ObjectEditorProps) {
  const { title, hint, text, onText, state, onApply, line = null } = props;
  const t = useTranslations("config");
  return (
    <div className={styles.grid}>
      <Panel title={title} hint={hint} flush>
        <YamlEditor
          value={text}
          onChange={onText}
          label={t("yaml-of", { object: title })}
          errors={state.errors}
          line={line}
          // What sends requests nowhere is not a matter of one stroke.
          onApply={() => (state.plan === null || deadShares(state.plan).length === 0) && onApply()}
        />
      </Panel>
      <div className={styles.stack}>
        <PlanCard {...props} />
        {state.revision !== null && <PushCard revision={state.revision} />}
      </div>
    </div>
  );
}

function PlanCard({ dirty, state, onApply, onUndone, onDiscard, conflict }: ObjectEditorProps) {
  const t = useTranslations("config");
  const undo = useUndo((result) => {
    state.undone(result);
    onUndone?.();
  });
  const { plan, error, errors, busy, checking, revision } = state;
  const later = useLaterChange(revision);
  const button = useFocusWhenLost<HTMLButtonElement>(!dirty && revision !== null);
  const changes = plan !== null && plan.objects.length > 0;
  return (
    <Panel
      title={t("change")}
      hint={plan?.objects.map(({ kind, name }) => `${kind} ${name}`).join(", ")}
      flush
      footer={
        dirty ? (
          <>
            <SafeButton
              plan={plan}
              onPress={onApply}
              loading={busy}
              disabled={!changes || error !== null || conflict !== undefined}
              data-testid="apply"
            >
              {plan ? t("apply", { count: plan.proxies }) : t("apply-plain")}
            </SafeButton>
            <Button variant="subtle" color="gray" onClick={onDiscard} disabled={busy} data-testid="discard">
              {t("discard")}
            </Button>
          </>
        ) : (
          revision !== null && (
            <>
              {!later && (
                <Button
                  ref={button}
                  onClick={() => undo.press(revision, { own: true })}
                  loading={undo.busy}
                  data-testid="undo"
                >
                  {t("undo")}
                </Button>
              )}
              <span className="muted">
                {t("revision", { revision })}
                {later && ` · ${t("changed-since", { revision: later.revision })}`}
              </span>
            </>
          )
        )
      }
    >
      {conflict}
      {error && errors.length === 0 && <FieldErrors error={error} />}
      {errors.length > 0 && (
        <p className={styles.says} aria-hidden>
          {t("wrong", { count: errors.length })}
        </p>
      )}
      {undo.dialog}
      {dirty && <ChangeSafety plan={plan} />}
      {dirty && plan && <ObjectDiffs objects={plan.objects} />}
      {dirty && !plan && !error && <p className={styles.says}>{checking ? t("checking") : t("write-first")}</p>}
      {/* Always there, so that what is written into it is announced. */}
      <p className={dirty ? "visually-hidden" : styles.says} role="status" data-testid="editor-status">
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
