"use client";
import {
  IconChevronDown,
  IconCopy,
  IconGripVertical,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import { ErrorsOf } from "./fields/errors-of.tsx";
import { useForm } from "./form-context.ts";
import { ConnectionRuleBody } from "./rule/connection-rule-body.tsx";
import { RuleBody } from "./rule/rule-body.tsx";
import styles from "./rule-list.module.css";
import { listPath, type RuleEntry, type RuleListName } from "./rule-list.ts";
import { useRuleSummary } from "./rule-summary.ts";
import type { Grip } from "./use-drag-order.ts";

export interface RuleEditorProps {
  entry: RuleEntry;
  index: number;
  count: number;
  host: string;
  list: RuleListName;
  isOpen: boolean;
  /** The last that is on: without it the VirtualService would have none. */
  isLast: boolean;
  /** What is dragged would come to stand at this edge. */
  drop: "before" | "after" | undefined;
  grip: Grip;
  onOpen: () => void;
  onMove: (to: number) => void;
  onDuplicate: () => void;
  onToggle: () => void;
  onDelete: () => void;
}

/** One rule: a line that says what it does, with its handles, and opened its whole form. */
export function RuleEditor(props: RuleEditorProps) {
  const { entry, index, count, host, list, isOpen, isLast, drop, grip } = props;
  const { onOpen, onMove, onDuplicate, onToggle, onDelete } = props;
  const t = useTranslations("form");
  const { disabled } = useForm();
  const { conditions, target } = useRuleSummary(entry.rule);
  const number = index + 1;
  const id = list === "http" ? "rule" : `${list}-rule`;
  const tool = (name: "duplicate" | "delete" | "on" | "off", Icon: typeof IconCopy, run: () => void, stuck = false) => (
    <button
      type="button"
      className={styles.tool}
      aria-label={t(`rule-${name}`, { number })}
      title={stuck ? t("rule-last") : t(`rule-${name}`, { number })}
      onClick={run}
      disabled={disabled || stuck}
      data-testid={`${id}-${index}-${name}`}
    >
      <Icon size={15} stroke={1.7} aria-hidden />
    </button>
  );
  return (
    <li
      className={styles.rule}
      data-off={entry.disabled || undefined}
      data-drop={drop}
      data-testid={`${id}-item-${index}`}
    >
      <header className={styles.head}>
        <button
          type="button"
          className={styles.grip}
          aria-label={t("rule-move", { number, count })}
          title={t("rule-move", { number, count })}
          data-grip={index}
          data-testid={`${id}-${index}-grip`}
          disabled={disabled}
          onKeyDown={(event) => {
            const to = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: count - 1 }[event.key];
            if (to === undefined) return;
            event.preventDefault();
            onMove(Math.max(0, Math.min(count - 1, to)));
          }}
          {...grip}
        >
          <IconGripVertical size={16} stroke={1.7} aria-hidden />
        </button>
        <button
          type="button"
          className={styles.open}
          aria-expanded={isOpen}
          onClick={onOpen}
          disabled={entry.disabled}
          data-testid={`${id}-${index}-open`}
        >
          <span className={styles.number}>{number}</span>
          <span className={styles.words}>
            <b>{conditions}</b>
            <span>
              {entry.disabled ? t("rule-is-off") : "→"} {target}
            </span>
          </span>
          {!entry.disabled && <IconChevronDown size={16} aria-hidden className={styles.chevron} />}
        </button>
        <span className={styles.tools}>
          {tool("duplicate", IconCopy, onDuplicate)}
          {entry.disabled ? tool("on", IconPlayerPlay, onToggle) : tool("off", IconPlayerPause, onToggle, isLast)}
          {tool("delete", IconTrash, onDelete, isLast)}
        </span>
      </header>
      {!isOpen && !entry.disabled && <ErrorsOf path={[...listPath(list), entry.index]} folded />}
      {isOpen && !entry.disabled && (
        <div className={styles.body}>
          {list === "http" ? (
            <RuleBody path={[...listPath(list), entry.index]} number={number} host={host} />
          ) : (
            <ConnectionRuleBody path={[...listPath(list), entry.index]} number={number} />
          )}
        </div>
      )}
    </li>
  );
}
