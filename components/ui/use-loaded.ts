"use client";
import { useSyncExternalStore } from "react";
import { reportMissing } from "./missing-parts.ts";

/** A module that a page can do without at first. */
export interface Loadable<T> {
  subscribe: (changed: () => void) => () => void;
  current: () => T | null;
}

/** To be made once, beside the component that uses it. */
export function loadable<T>(load: () => Promise<T>): Loadable<T> {
  let module: T | null = null;
  const waiting = new Set<() => void>();
  return {
    current: () => module,
    subscribe(changed) {
      waiting.add(changed);
      if (module === null)
        load().then((loaded) => {
          module = loaded;
          for (const tell of waiting) tell();
        }, reportMissing);
      return () => void waiting.delete(changed);
    },
  };
}

/** Null until it is there; whoever comes later has it at once. */
export const useLoaded = <T>({ subscribe, current }: Loadable<T>): T | null =>
  useSyncExternalStore(subscribe, current, () => null);
