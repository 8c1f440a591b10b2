"use client";
import { useMemo } from "react";
import type { ProxySync } from "../../server/contract/index.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import { useProxies } from "../lib/queries.ts";
import { goneOf } from "./gone-proxies.ts";

const none: ProxySync[] = [];

/** Proxies that are missed; none of a moment of the past. While none is, only their number is asked for. */
export function useGoneProxies(at: number | null): ProxySync[] {
  const status = useMeshStatus().data;
  const isAny = at === null && (status?.proxies.disconnected ?? 0) > 0;
  const { data } = useProxies(undefined, isAny);
  return useMemo(() => (isAny && data ? goneOf(data.proxies) : none), [isAny, data]);
}
