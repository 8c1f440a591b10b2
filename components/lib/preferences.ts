"use client";
import { useSyncExternalStore } from "react";

/** What this browser keeps for its reader, a cookie each, so that the server knows it, too. One year. */
export type Preference = "locale" | "start" | "motion" | "tour";

const listeners = new Set<() => void>();

export function remember(name: Preference, value: string): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=lax`;
  for (const listener of listeners) listener();
}

/** The value in the text of a Cookie header; null where there is none. */
export function preferenceIn(cookies: string, name: Preference): string | null {
  const found = cookies.split(";").find((pair) => pair.trim().startsWith(`${name}=`));
  return found === undefined ? null : decodeURIComponent(found.slice(found.indexOf("=") + 1));
}

/** Undefined while the page is as the server wrote it, null where nothing is kept. */
export const usePreference = (name: Preference): string | null | undefined =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => preferenceIn(document.cookie, name),
    () => undefined,
  );
