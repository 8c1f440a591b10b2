"use client";
import { type RefObject, useEffect } from "react";

/** What is kept free above the graph without a toolbar, and below one. */
const gap = 12;

/** How far down the toolbar reaches, which breaks into more lines where it is narrow. */
export const bottomOf = (toolbar: HTMLElement | null): number =>
  toolbar === null ? gap : toolbar.offsetTop + toolbar.offsetHeight + gap;

/** Tells the stage's styles where what is below the toolbar begins, as `--below-toolbar`. */
export function useBelow(toolbar: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = toolbar.current;
    if (!element) return;
    const told = new ResizeObserver(() =>
      element.parentElement?.style.setProperty("--below-toolbar", `${bottomOf(element)}px`),
    );
    told.observe(element);
    return () => told.disconnect();
  }, [toolbar]);
}
