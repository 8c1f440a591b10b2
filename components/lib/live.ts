"use client";
import { keepPreviousData, type QueryKey, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { ApiError } from "../../server/contract/index.ts";
import { type Settled, toApiError } from "./api.ts";

/** Two axes kept apart: do I have data, and is it live. */
export interface Live<T> {
  data: T | undefined;
  /** When `data` was read, Unix milliseconds; 0 without data. */
  readAt: number;
  /** Why it is not being refreshed right now. */
  error: ApiError | null;
  /** Since when reading fails, Unix milliseconds. */
  failingSince: number | null;
  refresh: () => void;
}

/** A single read that fails is not worth a word: the next one comes in two seconds. */
const patienceMs = 5000;

/** There is something to show, and it was not refreshed for so long that this must be said. */
export const isOverdue = ({ data, error, readAt }: Live<unknown>): boolean =>
  data !== undefined && error !== null && Date.now() - readAt > patienceMs;

export interface LiveOptions<T> {
  queryKey: QueryKey;
  read: (signal: AbortSignal) => Promise<T>;
  /** Milliseconds between reads; null: once. A failed read is tried again at the same pace. */
  everyMs: number | null;
  /** What the server already read for exactly this key. */
  initial?: Settled<T> | undefined;
  enabled?: boolean;
}

/** A query that refreshes itself while the tab is visible, keeps the last good data when a read fails, and heals by itself. */
export function useLive<T>({ queryKey, read, everyMs, initial, enabled = true }: LiveOptions<T>): Live<T> {
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) => read(signal),
    enabled,
    refetchInterval: everyMs ?? false,
    refetchOnWindowFocus: everyMs !== null,
    placeholderData: keepPreviousData,
    retry: false,
    ...(initial?.ok ? { initialData: initial.value, initialDataUpdatedAt: seenAt(initial) } : {}),
  });
  // Somebody else on the page (the palette, the frame) may have read newer data before this part of it is hydrated. What the server wrote
  // into the HTML is what the first render must say.
  const hydrated = useSyncExternalStore(never, inBrowser, onServer);
  const data = hydrated ? query.data : initial?.ok ? initial.value : undefined;
  const since = useRef<number | null>(null);
  const error =
    hydrated && query.error
      ? toApiError(query.error)
      : data === undefined && initial && !initial.ok
        ? initial.error
        : null;
  useEffect(() => {
    since.current = error ? (since.current ?? Date.now()) : null;
  }, [error]);
  const failingSince = error ? (since.current ?? query.errorUpdatedAt) || null : null;
  return { data, readAt: query.dataUpdatedAt, error, failingSince, refresh: () => void query.refetch() };
}

const firstSeen = new WeakMap<object, number>();

/** When what the server read came to this page, Unix milliseconds: a part that is opened again much later must not take it for new. */
function seenAt(initial: object): number {
  const at = firstSeen.get(initial) ?? Date.now();
  firstSeen.set(initial, at);
  return at;
}

const never = () => () => {};
const inBrowser = () => true;
const onServer = () => false;
