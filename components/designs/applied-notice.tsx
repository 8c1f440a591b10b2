"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { useLaterChange } from "../config/undo-button.tsx";
import { useUndo } from "../config/use-undo.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import styles from "./designs.module.css";

export interface AppliedNoticeProps {
  design: string;
  revision: number;
  onUndone: () => void;
}

/** What was put in force on this page a moment ago, and its way back. */
export function AppliedNotice({ design, revision, onUndone }: AppliedNoticeProps) {
  const t = useTranslations("designs");
  const config = useTranslations("config");
  const undo = useUndo(onUndone);
  const later = useLaterChange(revision);
  return (
    <div className={styles.applied} role="status" data-testid="design-applied">
      {undo.dialog}
      <HealthMark health="healthy" silent /> {t("applied", { name: design, revision })}
      {later ? (
        <span className="muted">{config("changed-since", { revision: later.revision })}</span>
      ) : (
        <Button
          size="compact-sm"
          onClick={() => undo.press(revision, { own: true })}
          loading={undo.busy}
          data-testid="undo-design"
        >
          {config("undo")}
        </Button>
      )}
    </div>
  );
}
