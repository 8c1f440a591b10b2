"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { useFocusWhenLost } from "../lib/use-focus-when-lost.ts";
import { ConfirmButton } from "../ui/confirm-button.tsx";
import { SafeButton } from "./change-safety.tsx";
import type { SafetyPanelProps } from "./safety-panel.tsx";
import { useLaterChange } from "./undo-button.tsx";
import { useUndo } from "./use-undo.tsx";

/** Apply and Discard; where they stood stands Undo afterwards. */
export function SafetyFooter({ dirty, state, onApply, onUndone, onDiscard, typed = true, conflict }: SafetyPanelProps) {
  const t = useTranslations("config");
  const undo = useUndo((result) => {
    state.undone(result);
    onUndone?.();
  });
  const { plan, error, busy, revision } = state;
  const later = useLaterChange(revision);
  const button = useFocusWhenLost<HTMLButtonElement>(!dirty && revision !== null);
  if (dirty) {
    const changes = plan !== null && plan.objects.length > 0;
    const isDelete = changes && plan.objects.every(({ after }) => after === "");
    return (
      <>
        <SafeButton
          plan={plan}
          onPress={onApply}
          loading={busy}
          disabled={!changes || error !== null || conflict !== undefined}
          data-testid="apply"
        >
          {plan ? t(isDelete ? "apply-delete" : "apply", { count: plan.proxies }) : t("apply-plain")}
        </SafeButton>
        {onDiscard && <Discard typed={typed} onDiscard={onDiscard} disabled={busy} />}
      </>
    );
  }
  if (revision === null) return null;
  return (
    <>
      {undo.dialog}
      {!later && (
        <Button ref={button} onClick={() => undo.press(revision, { own: true })} loading={undo.busy} data-testid="undo">
          {t("undo")}
        </Button>
      )}
      <span className="muted">
        {t("revision", { revision })}
        {later && ` · ${t("changed-since", { revision: later.revision })}`}
      </span>
    </>
  );
}

function Discard({ typed, onDiscard, disabled }: { typed: boolean; onDiscard: () => void; disabled: boolean }) {
  const t = useTranslations("config");
  const look = { variant: "subtle", color: "gray", disabled, "data-testid": "discard" };
  return typed ? (
    <ConfirmButton {...look} confirm={t("discard-typed")} onConfirm={onDiscard}>
      {t("discard")}
    </ConfirmButton>
  ) : (
    <Button {...look} onClick={onDiscard}>
      {t("discard")}
    </Button>
  );
}
