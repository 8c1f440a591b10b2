"use client";
import { useMemo } from "react";
import type { Change } from "../../server/contract/index.ts";
import { useChanges } from "../lib/queries.ts";
import type { ChartMark } from "../ui/chart-marks.ts";
import { useChangeText } from "./change-text.ts";

const colors: Record<Change["kind"], string> = {
  config: "var(--ink-3)",
  traffic: "var(--accent)",
  "fault-start": "var(--bad)",
  "fault-end": "var(--ok)",
};

/** The colour of what happened: config, traffic, a canary's steps, faults. */
export const changeColor = ({ kind, words }: Pick<Change, "kind" | "words">): string =>
  words.some(({ code }) => code === "canary") ? "var(--v2)" : colors[kind];

export interface ChangeMarksQuery {
  /** Unix milliseconds. */
  sinceMs: number;
  /** Keep it the same from render to render. */
  matches?: (change: Change) => boolean;
  enabled?: boolean;
}

const everything = () => true;

/** When somebody changed the config, a canary went on, or a fault came or went, for a chart's axis of time. */
export function useChangeMarks({ sinceMs, matches = everything }: ChangeMarksQuery): ChartMark[] {
  const changes = useChanges({ sinceMs, limit: 200 }).data?.changes;
  const said = useChangeText();
  return useMemo(
    () =>
      (changes ?? [])
        .filter(matches)
        .map((change) => ({ atMs: change.at, label: said(change), color: changeColor(change) })),
    [changes, matches, said],
  );
}
