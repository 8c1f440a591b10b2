"use client";
import { type RefObject, useEffect, useRef } from "react";

/**
 * For what stands where something that had the focus stood a moment ago (Undo where Apply was): it takes the focus, when that fell to the
 * page with what is gone.
 */
export function useFocusWhenLost<E extends HTMLElement>(active: boolean): RefObject<E | null> {
  const element = useRef<E>(null);
  useEffect(() => {
    if (active && document.activeElement === document.body) element.current?.focus();
  }, [active]);
  return element;
}
