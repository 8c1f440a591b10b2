"use client";
import { Button } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { YamlEdit } from "../../config/document/yaml-edit.ts";
import { useForm } from "./form-context.ts";
import { RuleEditor } from "./rule-editor.tsx";
import styles from "./rule-list.module.css";
import {
  addRule,
  deleteRule,
  duplicateRule,
  moveRule,
  newRule,
  type RuleListName,
  rulesOf,
  toggleRule,
} from "./rule-list.ts";
import { useDragOrder } from "./use-drag-order.ts";

const ruleLists = ["http", "tls", "tcp"] as const satisfies readonly RuleListName[];

export interface RuleListProps {
  /** Where a new destination goes. */
  host: string;
  list: RuleListName;
}

/** Rules in the order in which they are asked; the first that matches counts. */
export function RuleListView({ host, list: listName }: RuleListProps) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const entries = rulesOf(object, listName);
  const list = useRef<HTMLOListElement>(null);
  const [open, setOpen] = useState<number | null>(entries.length === 1 ? 0 : null);
  const [said, setSaid] = useState("");
  const grip = useGripFocus(list);
  const run = (edits: readonly YamlEdit[], nextOpen: number | null) => {
    edit(edits);
    setOpen(nextOpen);
  };
  const move = (from: number, to: number) => {
    const edits = moveRule(entries, from, to, listName);
    if (edits.length === 0) return;
    run(edits, movedPlace(open, from, to));
    setSaid(t("moved", { from: from + 1, to: to + 1, count: entries.length }));
    grip(to);
  };
  const drag = useDragOrder(list, move);
  // Without any rule a VirtualService would be no more than its name.
  const enabled = ruleLists.flatMap((name) => rulesOf(object, name)).filter((entry) => !entry.disabled).length;
  const id = (part: string) => (listName === "http" ? part : `${listName}-${part}`);
  return (
    <section aria-label={t(`rules-${listName}`)}>
      {listName !== "http" && <p className={styles.title}>{t(`rules-${listName}`)}</p>}
      <p className="visually-hidden" aria-live="polite" data-testid={id("rules-said")}>
        {said}
      </p>
      <ol className={styles.list} ref={list} data-testid={id("rule-list")}>
        {entries.map((entry, index) => (
          <RuleEditor
            // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place
            key={index}
            entry={entry}
            index={index}
            count={entries.length}
            host={host}
            list={listName}
            isOpen={open === index}
            isLast={!entry.disabled && enabled === 1}
            drop={drag.drop === index ? drag.side : undefined}
            grip={drag.gripOf(index)}
            onOpen={() => setOpen(open === index ? null : index)}
            onMove={(to) => move(index, to)}
            onDuplicate={() => run(duplicateRule(entries, index, listName), index + 1)}
            onToggle={() =>
              run(toggleRule(entries, index, listName), entry.disabled ? open : open === index ? null : open)
            }
            onDelete={() => run(deleteRule(entries, index, listName), null)}
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
              run(
                addRule(
                  entries,
                  at,
                  newRule(listName, host, object, place === "first" && entries.length > 0),
                  listName,
                ),
                at,
              );
            }}
            data-testid={id(`add-rule-${place}`)}
          >
            {t(place === "first" ? "add-rule-first" : "add-rule-last")}
          </Button>
        ))}
      </div>
    </section>
  );
}

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
