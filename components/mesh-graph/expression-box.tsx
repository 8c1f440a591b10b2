"use client";
import { useId, useState } from "react";
import { useTranslations } from "use-intl";
import type { Graph } from "../../server/contract/index.ts";
import { useFollowing } from "../lib/use-following.ts";
import { completionsOf, findPresets, hidePresets } from "./completions.ts";
import type { FindError, FindResult } from "./find.ts";
import { titleOf } from "./subject.ts";
import styles from "./topology.module.css";
import type { TopologyState } from "./use-topology-state.ts";

export interface ExpressionBoxProps {
  /** What it finds is lit, or left out. */
  param: "find" | "hide";
  state: TopologyState;
  graph: Pick<Graph, "nodes">;
  parsed: FindResult;
  /** How many were found; null without an expression. */
  found: number | null;
}

/** An expression over nodes and calls, with presets and completion. */
export function ExpressionBox({ param, state, graph, parsed, found }: ExpressionBoxProps) {
  const t = useTranslations("topology");
  const help = useTranslations("find");
  const id = useId();
  const [focused, setFocused] = useState(false);
  const text = state[param];
  const wrong = parsed.ok ? null : parsed.error;
  const names = focused ? namesIn(graph) : [];
  const completions = focused ? completionsOf(text, names, param === "find" ? findPresets : hidePresets) : [];
  return (
    <div className={styles.find} data-param={param} data-wrong={wrong !== null || undefined}>
      <label htmlFor={id}>{t(param)}</label>
      <input
        ref={useFollowing(text)}
        id={id}
        type="search"
        autoComplete="off"
        spellCheck={false}
        placeholder={t(`placeholder-${param}`)}
        defaultValue={text}
        list={`${id}-completions`}
        aria-invalid={wrong !== null}
        aria-describedby={`${id}-says`}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onChange={(event) => state.set({ [param]: event.currentTarget.value })}
        data-testid={param}
      />
      <datalist id={`${id}-completions`}>
        {completions.map((completion) => (
          <option key={completion} value={completion} />
        ))}
      </datalist>
      {found !== null && <span data-testid="find-count">{t("find-found", { count: found })}</span>}
      {focused && (wrong || text !== "") && (
        <div className={styles.findSays} id={`${id}-says`} role={wrong ? "alert" : undefined}>
          {wrong ? <FindProblem error={wrong} /> : help("help")}
        </div>
      )}
    </div>
  );
}

const namesIn = ({ nodes }: Pick<Graph, "nodes">): string[] => [
  ...new Set(
    nodes.flatMap((node) => [titleOf(node), node.app, node.namespace, ...(node.version ? [node.version] : [])]),
  ),
];

function FindProblem({ error }: { error: FindError }) {
  const t = useTranslations("find");
  if (error.key === "unknown-word") return t(error.key, { word: error.word, at: error.at });
  if (error.key === "want-text" || error.key === "unknown-operator")
    return t(error.key, { field: error.field, operator: error.operator });
  if (error.key === "want-number")
    return t(error.key, { field: error.field, operator: error.operator, example: error.example });
  return t(error.key);
}
