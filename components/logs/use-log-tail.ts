"use client";
import { useEffect, useRef, useState } from "react";
import type { Line } from "./log-rows.ts";

const retryMs = 3000;

export interface LogTailOptions<L extends Line> {
  /** Where lines are sent as they are written: `/api/logs/live`. */
  path: string;
  /** What one event says; empty where it says nothing that is understood. */
  parse: (event: unknown) => readonly L[];
  query: string;
  enabled: boolean;
  /** Whatever was missed meanwhile is to be read. */
  onOpen: () => void;
  onEntries: (entries: readonly L[]) => void;
}

/** Server-sent events while the tab is seen: a browser has six connections to a server, and a hidden tab must not keep one. */
export function useLogTail<L extends Line>(options: LogTailOptions<L>): "connecting" | "open" | "failed" | null {
  const { path, query, enabled } = options;
  const [state, setState] = useState<"connecting" | "open" | "failed">("connecting");
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    if (!enabled) return;
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const close = () => {
      clearTimeout(timer);
      source?.close();
      source = undefined;
    };
    const connect = () => {
      close();
      const opened = new EventSource(`${path}?${query}`);
      source = opened;
      opened.onopen = () => {
        setState("open");
        latest.current.onOpen();
      };
      opened.onmessage = ({ data }) => latest.current.onEntries(latest.current.parse(jsonOf(String(data))));
      opened.onerror = () => {
        setState("failed");
        // After a refusal a browser does not try again by itself.
        if (opened.readyState === EventSource.CLOSED) timer = setTimeout(connect, retryMs);
      };
    };
    const follow = () => (document.visibilityState === "visible" ? connect() : close());
    setState("connecting");
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      close();
    };
  }, [path, query, enabled]);
  return enabled ? state : null;
}

function jsonOf(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
