"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { deadShares } from "../../server/contract/index.ts";
import { PushCard } from "../traffic/push-card.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./config.module.css";
import { ConflictNote } from "./merge/conflict-note.tsx";
import { SafetyPanel, type SafetyPanelProps } from "./safety-panel.tsx";
import { useTextMarks } from "./text-marks.ts";
import { YamlEditor } from "./yaml-editor.tsx";

export interface ObjectEditorProps extends SafetyPanelProps {
  title: string;
  hint?: string;
  text: string;
  /** Unset: the reader only looks. */
  onText?: (text: string) => void;
  /** Of the object that the text is of, where it is of one. */
  object?: { kind: string; name: string };
  /** To be shown and marked, counting from one. */
  line?: number | null;
  /** At the far end of the text's title. */
  actions?: ReactNode;
}

/** Text on the left; what applying it would write, and how that reached the fleet, on the right. */
export function ObjectEditor({
  title,
  hint,
  text,
  onText,
  object,
  line = null,
  actions,
  ...safety
}: ObjectEditorProps) {
  const t = useTranslations("config");
  const { state, onApply, conflict } = safety;
  const marks = useTextMarks(state, { index: 0, kind: object?.kind ?? "", name: object?.name ?? "" });
  return (
    <div className={styles.stack}>
      {conflict}
      <div className={styles.grid}>
        <Panel title={title} hint={hint} actions={actions} flush>
          <YamlEditor
            value={text}
            {...(onText && { onChange: onText })}
            label={t("yaml-of", { object: title })}
            marks={marks}
            line={line}
            // What sends requests nowhere is not a matter of one stroke.
            onApply={() => (state.plan === null || deadShares(state.plan).length === 0) && onApply()}
          />
        </Panel>
        <div className={styles.stack}>
          {onText && <SafetyPanel {...safety} {...(conflict && { conflict: <ConflictNote /> })} />}
          {state.revision !== null && <PushCard revision={state.revision} />}
        </div>
      </div>
    </div>
  );
}
