"use client";
import { useMemo } from "react";
import { type Comparison, parseComparison, parseRange, rangeParams, type TimeRange } from "../ui/time-range.ts";
import { useUrlState } from "./url-state.ts";

export interface UrlRange {
  range: TimeRange;
  comparison: Comparison | null;
  /** For the picker. */
  set: (range: TimeRange) => void;
  compare: { value: Comparison | null; onChange: (comparison: Comparison | null) => void };
}

/** The stretch of time that the page's address asks for. */
export function useUrlRange(fallbackSec?: number): UrlRange {
  const url = useUrlState();
  const { windowSec, at } = parseRange(url.get, fallbackSec);
  const range = useMemo(() => ({ windowSec, at }), [windowSec, at]);
  const comparison = parseComparison(url.get("compare"));
  return {
    range,
    comparison,
    set: (next) => url.set(rangeParams(next)),
    compare: { value: comparison, onChange: (next) => url.set({ compare: next }) },
  };
}
