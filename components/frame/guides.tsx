"use client";
import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { useEffect, useState } from "react";
import { overviewHref } from "../lib/links.ts";
import { usePreference } from "../lib/preferences.ts";
import { PartBoundary } from "../ui/part-boundary.tsx";
import { openPalette } from "./palette-signal.ts";
import { useShortcuts } from "./use-shortcuts.ts";

const Tour = dynamic(() => import("./tour.tsx").then((module) => module.Tour), { ssr: false });
const ShortcutMap = dynamic(() => import("./shortcut-map.tsx").then((module) => module.ShortcutMap), { ssr: false });

/** The names of the events by which a page starts the tour again, and shows the keys. */
const tourEvent = "limpid:tour";
const mapEvent = "limpid:keys";

export const startTour = (): void => void window.dispatchEvent(new Event(tourEvent));
export const showKeys = (): void => void window.dispatchEvent(new Event(mapEvent));

/** The keys of every page with their map, and the tour: offered on the overview of a browser that has not seen it. */
export function Guides() {
  const path = usePathname();
  const seen = usePreference("tour");
  const [map, setMap] = useState(false);
  const [tour, setTour] = useState<"none" | "begun" | "closed">("none");
  useShortcuts({ onMap: () => setMap(true), onPalette: openPalette });
  useEffect(() => {
    const onTour = () => setTour("begun");
    const onMap = () => setMap(true);
    window.addEventListener(tourEvent, onTour);
    window.addEventListener(mapEvent, onMap);
    return () => {
      window.removeEventListener(tourEvent, onTour);
      window.removeEventListener(mapEvent, onMap);
    };
  }, []);
  const offered = tour === "none" && seen === null && path === overviewHref;
  return (
    <PartBoundary>
      {map && <ShortcutMap onClose={() => setMap(false)} />}
      {(tour === "begun" || offered) && <Tour key={tour} begun={tour === "begun"} onClose={() => setTour("closed")} />}
    </PartBoundary>
  );
}
