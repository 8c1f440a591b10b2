"use client";
import { useCallback, useMemo } from "react";
import { usePreference } from "../lib/preferences.ts";
import { useUrlState } from "../lib/url-state.ts";
import { type Comparison, parseComparison, parseRange, type TimeRange } from "../ui/time-range.ts";
import { type ViewKind, viewKindOf } from "./graph-view-kinds.ts";

export const labelKinds = ["protocol", "rate", "p95", "errors"] as const;
export type LabelKind = (typeof labelKinds)[number];

/** How fast a replay may go. */
export const speeds = [1, 5, 20, 60] as const;
export type Speed = (typeof speeds)[number];

/** Parameters of the page's address. */
export const topologyParams = [
  ...["window", "at", "from", "to", "speed", "config", "select", "find", "idle", "labels", "animate", "view", "trace"],
  ...["hide", "by", "ns", "focus", "hops", "compare"],
] as readonly (
  | "window"
  | "at"
  | "from"
  | "to"
  | "speed"
  | "config"
  | "select"
  | "find"
  | "idle"
  | "labels"
  | "animate"
  | "view"
  | "trace"
  | "hide"
  | "by"
  | "ns"
  | "focus"
  | "hops"
  | "compare"
)[];

/** As far as a focus reaches. */
export const mostHops = 5;

export interface TopologyState {
  windowSec: number;
  /** The fixed stretch that is looked at, which the strip shows; null: it ends now. */
  range: TimeRange | null;
  /** What is shown ends then, Unix milliseconds; null: live. */
  at: number | null;
  /** The replayed moment; null: live, or the whole of the fixed stretch. */
  moment: number | null;
  /** Seconds that a replay shows in one. */
  speed: Speed;
  /** The config of the moment is shown beside the graph. */
  configThen: boolean;
  /** A node's, box's or call's id. */
  select: string | null;
  find: string;
  hideIdle: boolean;
  labels: readonly LabelKind[];
  animate: boolean;
  list: boolean;
  /** Id of the trace that is drawn over the graph. */
  trace: string | null;
  /** What is left out, as an expression. */
  hide: string;
  /** What a node stands for. */
  kind: ViewKind;
  namespaces: readonly string[];
  /** Only what is so many calls away from it. */
  focus: { id: string; hops: number } | null;
  /** The earlier time that figures are compared with. */
  comparison: Comparison | null;
  set: (patch: Partial<Record<(typeof topologyParams)[number], string | null>>) => void;
}

/** Everything about the topology page that is in its address. */
export function useTopologyState(): TopologyState {
  const url = useUrlState();
  const motion = usePreference("motion");
  // Back steps through what was selected and how it was looked at; a filter being typed and a strip being dragged are no steps.
  const set = useCallback<TopologyState["set"]>(
    (patch) =>
      url.set(
        patch as Record<string, string | null>,
        ["select", "view", "trace", "by", "focus"].some((name) => name in patch) ? "push" : "replace",
      ),
    [url.set],
  );
  const text = url.get("labels");
  const labels = useMemo(() => labelKinds.filter((kind) => text === null || text.split(",").includes(kind)), [text]);
  // Within a fixed stretch `at` is a moment of it, and a figure there is of the seconds before, as it is live.
  const fixed = parseRange((name) => (name === "at" ? null : url.get(name)));
  const moving = parseRange((name) => (name === "from" || name === "to" ? null : url.get(name)));
  const range = useMemo(
    () => (fixed.at === null ? null : { windowSec: fixed.windowSec, at: fixed.at }),
    [fixed.at, fixed.windowSec],
  );
  const namespaceText = url.get("ns");
  const namespaces = useMemo(() => namespaceText?.split(",").filter(Boolean) ?? [], [namespaceText]);
  const [focusId, hops] = [url.get("focus"), Number(url.get("hops") ?? 1)];
  const focus = useMemo(
    () => (focusId ? { id: focusId, hops: hops >= 1 && hops <= mostHops ? Math.floor(hops) : 1 } : null),
    [focusId, hops],
  );
  return {
    windowSec: range && moving.at === null ? range.windowSec : moving.windowSec,
    at: moving.at ?? range?.at ?? null,
    moment: moving.at,
    range,
    configThen: url.get("config") === "then",
    speed: speeds.find((one) => String(one) === url.get("speed")) ?? 1,
    select: url.get("select"),
    find: url.get("find") ?? "",
    hideIdle: url.get("idle") === "hide",
    labels,
    animate: (url.get("animate") ?? motion) !== "off",
    list: url.get("view") === "list",
    trace: url.get("trace"),
    hide: url.get("hide") ?? "",
    kind: viewKindOf(url.get("by")),
    namespaces,
    focus,
    comparison: parseComparison(url.get("compare")),
    set,
  };
}
