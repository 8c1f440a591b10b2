"use client";
import { Button } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { YamlEdit } from "../../config/document/yaml-edit.ts";
import { useForm } from "./form-context.ts";
import { RuleEditor } from "./rule-editor.tsx";
import styles from "./rule-list.module.css";
import { addRule, deleteRule, duplicateRule, moveRule, type RuleEntry, rulesOf, toggleRule } from "./rule-list.ts";
import { useDragOrder } from "./use-drag-order.ts";

/** Rules in the order in which they are asked; the first that matches counts. */
export function RuleListView({ host }: { host: string }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const entries = rulesOf(object);
  const list = useRef<HTMLOListElement>(null);
  const [open, setOpen] = useState<number | null>(entries.length === 1 ? 0 : null);
  const [said, setSaid] = useState("");
  const grip = useGripFocus(list);
  const run = (edits: readonly YamlEdit[], nextOpen: number | null) => {
    edit(edits);
    setOpen(nextOpen);
  };
  const move = (from: number, to: number) => {
    const edits = moveRule(entries, from, to);
    if (edits.length === 0) return;
    run(edits, movedPlace(open, from, to));
    setSaid(t("moved", { from: from + 1, to: to + 1, count: entries.length }));
    grip(to);
  };
  const drag = useDragOrder(list, move);
  const enabled = entries.filter((entry) => !entry.disabled).length;
  return (
    <section aria-label={t("rules")}>
      <p className="visually-hidden" aria-live="polite" data-testid="rules-said">
        {said}
      </p>
      <ol className={styles.list} ref={list} data-testid="rule-list">
        {entries.map((entry, index) => (
          <RuleEditor
            // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place
            key={index}
            entry={entry}
            index={index}
            count={entries.length}
            host={host}
            isOpen={open === index}
            isLast={!entry.disabled && enabled === 1}
            drop={drag.drop === index ? drag.side : undefined}
            grip={drag.gripOf(index)}
            onOpen={() => setOpen(open === index ? null : index)}
            onMove={(to) => move(index, to)}
            onDuplicate={() => run(duplicateRule(entries, index), index + 1)}
            onToggle={() => run(toggleRule(entries, index), entry.disabled ? open : open === index ? null : open)}
            onDelete={() => run(deleteRule(entries, index), null)}
          />
        ))}
      </ol>
      <div className={styles.adds}>
        {(["first", "last"] as const).map((place) => (
          <Button
            key={place}
            size="compact-sm"
            disabled={disabled}
            onClick={() => {
              const at = place === "first" ? 0 : entries.length;
              run(addRule(entries, at, newRule(host, place === "first" && entries.length > 0)), at);
            }}
            data-testid={`add-rule-${place}`}
          >
            {t(place === "first" ? "add-rule-first" : "add-rule-last")}
          </Button>
        ))}
      </div>
    </section>
  );
}

/** One that would take every request away from those below it begins with a condition. */
const newRule = (host: string, isLimited: boolean): RuleEntry["rule"] => ({
  ...(isLimited && { match: [{ uri: { prefix: "/new" } }] }),
  route: [{ destination: { host } }],
});

/** Where what was open is after a move. */
function movedPlace(open: number | null, from: number, to: number): number | null {
  if (open === null) return null;
  if (open === from) return to;
  const without = open > from ? open - 1 : open;
  return without >= to ? without + 1 : without;
}

/** After a move the focus goes on with the rule that was moved. */
function useGripFocus(list: { current: HTMLElement | null }): (index: number) => void {
  const [wanted, setWanted] = useState<{ index: number } | null>(null);
  useEffect(() => {
    if (wanted) list.current?.querySelector<HTMLElement>(`[data-grip="${wanted.index}"]`)?.focus();
  }, [wanted, list]);
  return (index) => setWanted({ index });
}
