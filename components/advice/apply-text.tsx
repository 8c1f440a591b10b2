"use client";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { SafetyPanel } from "../config/safety-panel.tsx";
import { useTextMarks } from "../config/text-marks.ts";
import { useApply } from "../config/use-apply.ts";
import { YamlEditor } from "../config/yaml-editor.tsx";
import { useLeaveGuard } from "../lib/leave-guard.ts";
import { useMay } from "../lib/session.tsx";
import styles from "./advice.module.css";

export interface ApplyTextProps {
  text: string;
  onText: (text: string) => void;
  /** What it was before anybody typed. */
  proposal: string;
  /** Of the object in it. */
  kind: string;
  name: string;
}

/** YAML to edit, on its way into the mesh by the panel that all changes go by. */
export function ApplyText({ text, onText, proposal, kind, name }: ApplyTextProps) {
  const t = useTranslations("advice");
  const config = useTranslations("config");
  const may = useMay();
  const [applied, setApplied] = useState<string | null>(null);
  const dirty = applied !== text;
  const typed = text !== proposal;
  useLeaveGuard(dirty && typed, config("leave", { name }));
  const state = useApply(dirty && may("operator") ? { texts: [{ text, resourceVersion: null }] } : null);
  const marks = useTextMarks(state, { index: 0, kind, name });
  const apply = async () => {
    if (dirty && !state.error && (await state.apply())) setApplied(text);
  };
  return (
    <div className={styles.stack}>
      <YamlEditor
        value={text}
        onChange={onText}
        label={t("yaml-of", { name })}
        marks={marks}
        onApply={() => void apply()}
      />
      {may("operator") ? (
        <SafetyPanel
          dirty={dirty}
          state={state}
          onApply={() => void apply()}
          onDiscard={typed ? () => onText(proposal) : undefined}
          onUndone={() => setApplied(null)}
        />
      ) : (
        <p className={styles.quiet}>{t("may-not")}</p>
      )}
    </div>
  );
}
