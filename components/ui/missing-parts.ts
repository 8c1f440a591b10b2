"use client";
import { useSyncExternalStore } from "react";

let missing: Error | null = null;
const listeners = new Set<() => void>();

/** Code that the page asked for later has not come, or failed: told beside the page, which goes on without it. */
export function reportMissing(error: unknown): void {
  missing = error instanceof Error ? error : new Error(String(error));
  for (const tell of listeners) tell();
}

/** The last one of this page. */
export const useMissingPart = (): Error | null =>
  useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
    () => missing,
    () => null,
  );

/** It was not served: a browser asks for it again only once the page is loaded anew. After an upgrade it never comes. */
export const isUnserved = ({ name, message }: Error): boolean =>
  name === "ChunkLoadError" || /\bload\b.* chunk\b|dynamically imported module/i.test(message);

/** The page as it is served now. While nobody serves it the present one stays. */
export async function reloadWhenServed(): Promise<void> {
  const answer = await fetch(window.location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.ok) window.location.reload();
}
