"use client";
import { useCallback, useMemo } from "react";
import { usePreference } from "../lib/preferences.ts";
import { useUrlState } from "../lib/url-state.ts";
import { parseWindow } from "../ui/time-window.ts";

export const labelKinds = ["rate", "p95", "errors"] as const;
export type LabelKind = (typeof labelKinds)[number];

export interface TopologyState {
  windowSec: number;
  /** The replayed moment, Unix milliseconds; null: live. */
  at: number | null;
  /** A node's, box's or call's id. */
  select: string | null;
  find: string;
  hideIdle: boolean;
  labels: readonly LabelKind[];
  animate: boolean;
  list: boolean;
  /** Id of the trace that is drawn over the graph. */
  trace: string | null;
  set: (
    patch: Partial<
      Record<"window" | "at" | "select" | "find" | "idle" | "labels" | "animate" | "view" | "trace", string | null>
    >,
  ) => void;
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
        "select" in patch || "view" in patch || "trace" in patch ? "push" : "replace",
      ),
    [url.set],
  );
  const text = url.get("labels");
  const labels = useMemo(
    () => labelKinds.filter((kind) => (text ?? "rate,p95,errors").split(",").includes(kind)),
    [text],
  );
  const at = Number(url.get("at"));
  return {
    windowSec: parseWindow(url.get("window")),
    at: Number.isSafeInteger(at) && at > 0 ? at : null,
    select: url.get("select"),
    find: url.get("find") ?? "",
    hideIdle: url.get("idle") === "hide",
    labels,
    animate: (url.get("animate") ?? motion) !== "off",
    list: url.get("view") === "list",
    trace: url.get("trace"),
    set,
  };
}
