"use client";
import { useEffect, useState } from "react";
import type { Live } from "../lib/live.ts";
import { serverNow } from "./fuse.ts";

/** The server's clock, four times a second; what the list said while the page is not yet alive. */
export function useServerNow({ data, readAt }: Live<{ now: number }>): number {
  const [local, setLocal] = useState<number | null>(null);
  useEffect(() => {
    setLocal(Date.now());
    const timer = setInterval(() => setLocal(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  if (!data) return 0;
  return local === null ? data.now : serverNow(data.now, readAt, local);
}
