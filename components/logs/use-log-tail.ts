"use client";
import { useEffect, useRef, useState } from "react";
import { type LogEntry, LogEvents } from "../../server/contract/index.ts";

const retryMs = 3000;

export interface LogTailOptions {
  query: string;
  enabled: boolean;
  /** Whatever was missed meanwhile is to be read. */
  onOpen: () => void;
  onEntries: (entries: readonly LogEntry[]) => void;
}

/** Server-sent events while the tab is seen: a browser has six connections to a server, and a hidden tab must not keep one. */
export function useLogTail(options: LogTailOptions): "connecting" | "open" | "failed" | null {
  const { query, enabled } = options;
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
      const opened = new EventSource(`/api/logs/live?${query}`);
      source = opened;
      opened.onopen = () => {
        setState("open");
        latest.current.onOpen();
      };
      opened.onmessage = ({ data }) => latest.current.onEntries(entriesOf(String(data)));
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
  }, [query, enabled]);
  return enabled ? state : null;
}

function entriesOf(data: string): readonly LogEntry[] {
  try {
    return LogEvents.safeParse(JSON.parse(data)).data?.entries ?? [];
  } catch {
    return [];
  }
}
