"use client";
import { useEffect, useState } from "react";

/** A module that a page can do without at first: null until it is there. `load` is one and the same function at every call. */
export function useLoaded<T>(load: () => Promise<T>): T | null {
  const [loaded, setLoaded] = useState<{ module: T } | null>(null);
  useEffect(() => {
    let isWanted = true;
    void load().then((module) => isWanted && setLoaded({ module }));
    return () => {
      isWanted = false;
    };
  }, [load]);
  return loaded?.module ?? null;
}
