"use client";
import type { LiveChartProps } from "./live-chart.tsx";
import { SkeletonBlock } from "./skeletons.tsx";
import { loadable, useLoaded } from "./use-loaded.ts";

const chart = loadable(() => import("./live-chart.tsx"));

/** A chart for pages that can do without its code at first: its place is kept until that is there. */
export function LoadedChart(props: LiveChartProps & { height: number }) {
  const module = useLoaded(chart);
  return module ? <module.LiveChart {...props} /> : <SkeletonBlock height={props.height} />;
}
