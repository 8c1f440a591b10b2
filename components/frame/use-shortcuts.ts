"use client";
import { useRouter } from "next/navigation";
import { useEffect, useRef } from "react";
import { mayLeave } from "../lib/leave-guard.ts";
import { letterPatienceMs, nextKey, type ShortcutAction } from "./shortcuts.ts";

/** Keys that work on every page. They are left alone where somebody writes, and where a dialog or a menu is open. */
export function useShortcuts({ onMap, onPalette }: { onMap: () => void; onPalette: () => void }): void {
  const router = useRouter();
  const latest = useRef<(action: ShortcutAction) => void>(() => {});
  latest.current = (action) => {
    if (action.kind === "map") onMap();
    else if (action.kind === "find") focusFilter() || onPalette();
    else if (mayLeave()) router.push(action.href);
  };
  useEffect(() => {
    let waitingUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target)) return;
      // Shift alone comes before the key that it changes.
      if (event.key === "Shift") return;
      const { action, waiting } = nextKey(Date.now() < waitingUntil, event.key);
      waitingUntil = waiting ? Date.now() + letterPatienceMs : 0;
      if (!action) return;
      event.preventDefault();
      latest.current(action);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

/** True when the page has a filter or a search of its own. */
function focusFilter(): boolean {
  const field = document.querySelector<HTMLInputElement>(
    'main input[type="search"], main [data-testid$="-filter"], main form input[type="text"]',
  );
  field?.focus();
  field?.select();
  return field !== null;
}

const isTaken = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu], [role=slider]") !== null;
