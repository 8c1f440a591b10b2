"use client";
import { usePathname, useSearchParams } from "next/navigation";
import { useCallback } from "react";

export interface UrlState {
  get: (name: string) => string | null;
  /** Null removes a parameter. Nothing is fetched from the server; `push` makes a step that Back undoes. */
  set: (patch: Record<string, string | null>, how?: "replace" | "push") => void;
}

/** The page's state, where it can be copied and shared: the address. */
export function useUrlState(): UrlState {
  const params = useSearchParams();
  const path = usePathname();
  const set = useCallback<UrlState["set"]>(
    (patch, how = "replace") => {
      const next = new URLSearchParams(window.location.search);
      for (const [name, value] of Object.entries(patch)) {
        if (value === null || value === "") next.delete(name);
        else next.set(name, value);
      }
      const query = next.toString();
      const address = query ? `${path}?${query}` : path;
      if (how === "push") window.history.pushState(null, "", address);
      else window.history.replaceState(null, "", address);
    },
    [path],
  );
  return { get: (name) => params.get(name), set };
}
