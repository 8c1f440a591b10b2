"use client";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import {
  type ApiError,
  type ChangeResult,
  deadShares,
  type Entrance,
  type Routing,
} from "../../server/contract/index.ts";
import { asDryRun } from "../config/dry-run.ts";
import { toApiError } from "../lib/api.ts";
import { useChanges } from "../lib/queries.ts";
import { putWeights } from "../lib/writes.ts";
import { undoableShift, type Written } from "./last-shift.ts";
import { shownRules, splitOf, weightsText } from "./rule-parts.ts";
import type { Draft, Drafts } from "./use-drafts.ts";

export interface Shift {
  draft: Draft | null;
  /** What applying would write; null until known. */
  plan: ChangeResult | null;
  planning: boolean;
  /** Why it can't be applied as it is. */
  error: ApiError | null;
  busy: boolean;
  /** Written on this page, or found in the history after a reload; what undo takes back. */
  written: Written | null;
  apply: () => void;
  discard: () => void;
  /** On top of what somebody else has written meanwhile. */
  reapply: () => void;
  /** What is written was taken back. */
  undone: (result: ChangeResult) => void;
}

/** A draft's way into the mesh: checked while it is made, applied, followed, taken back. */
export function useShift(
  service: { namespace: string; name: string },
  routing: Routing | undefined,
  drafts: Drafts,
  /** Ask also for what the proxies would get. */
  withEnvoy: boolean,
  /** Whose rules they are, for a gateway's entrance; unset: those inside of the mesh. */
  target?: VirtualServiceName,
): Shift {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ of: string; error: ApiError } | null>(null);
  const [own, setWritten] = useState<Written | null>(null);
  const changes = useChanges({ sinceMs: 0, limit: 50 }).data?.changes ?? [];
  const written = undoableShift(routing, changes, own, useMinute());
  const draft = drafts.active;
  const key = draft === null ? "" : JSON.stringify(bodyOf(draft, target));
  const present = routing?.virtualService?.resourceVersion ?? null;
  const plan = usePlan({ service, target, draft, present, withEnvoy, paused: busy });
  const reload = () => {
    for (const name of ["changes", "status", "faults"]) void client.invalidateQueries({ queryKey: [name] });
    return client.invalidateQueries({ queryKey: ["routing", service] });
  };

  const attempt = async (of: string, write: () => Promise<void>) => {
    setBusy(true);
    setFailure(null);
    try {
      await write();
    } catch (cause) {
      const error = toApiError(cause);
      setFailure({ of, error });
      if (error.code === "CONFLICT") await reload();
    } finally {
      setBusy(false);
    }
  };
  const apply = () =>
    draft &&
    attempt(key, async () => {
      const before = textInForce(routing, draft.rule);
      // A check still under way would be answered after the write, and find its base gone.
      await client.cancelQueries({ queryKey: ["plan", service] });
      // Nobody has seen yet what this does: what sends requests nowhere is to be confirmed by name, once it is.
      if (plan.pending && deadShares(await putWeights(service, bodyOf(draft, target), { dryRun: true })).length > 0)
        return void client.invalidateQueries({ queryKey: ["plan", service] });
      const result = await putWeights(service, bodyOf(draft, target), { dryRun: false });
      setWritten({ revision: result.revision, before, after: weightsText(draft.parts) });
      client.setQueryData<Routing>(["routing", service], (known) => known && writtenInto(known, draft, result, target));
      drafts.discard(draft.rule);
      void reload();
    });
  const undone = (result: ChangeResult) => {
    if (written) setWritten({ revision: result.revision, before: written.after, after: written.before ?? "" });
    void reload();
  };
  const ownFailure = failure !== null && failure.of === key ? failure.error : null;
  return {
    draft,
    plan: draft ? plan.data : null,
    planning: plan.pending,
    error: ownFailure ?? (draft ? plan.error : null),
    busy,
    written,
    apply: () => void apply(),
    discard: () => {
      setFailure(null);
      if (draft) drafts.discard(draft.rule);
    },
    reapply: () => {
      setFailure(null);
      if (draft) drafts.rebase(draft.rule);
    },
    undone,
  };
}

/** The time, to the minute; 0 until the page lives in a browser, whose clock the server's HTML can't know. */
function useMinute(): number {
  const [now, setNow] = useState(0);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export interface VirtualServiceName {
  namespace: string;
  name: string;
}

interface PlanInput {
  service: { namespace: string; name: string };
  target: VirtualServiceName | undefined;
  draft: Draft | null;
  /** The VirtualService's version that is in force. */
  present: string | null;
  withEnvoy: boolean;
  paused: boolean;
}

/** The dry run of what is drafted, again when somebody else has written meanwhile; not while it is being written. */
function usePlan({ service, target, draft, present, withEnvoy, paused }: PlanInput) {
  const [settled] = useDebouncedValue(draft, 120);
  const wanted = draft === null ? null : settled;
  const query = useQuery({
    queryKey: ["plan", service, wanted && bodyOf(wanted, target), present, withEnvoy],
    queryFn: ({ signal }) =>
      wanted ? putWeights(service, bodyOf(wanted, target), { dryRun: true, envoy: withEnvoy }, signal) : null,
    enabled: wanted !== null && !paused,
    ...asDryRun,
    staleTime: 30_000,
    placeholderData: keepPreviousData,
  });
  return {
    data: query.isError ? null : (query.data ?? null),
    pending: query.isFetching || settled !== draft,
    error: query.error ? toApiError(query.error) : null,
  };
}

const bodyOf = ({ rule, parts, base }: Draft, target: VirtualServiceName | undefined) => ({
  rule,
  weights: Object.fromEntries(parts.map(({ subset, weight }) => [subset, weight])),
  resourceVersion: base,
  ...(target && { virtualService: { namespace: target.namespace, name: target.name } }),
});

/** The routing as it is right after a write, until it is read again: the bar must not jump back meanwhile. */
function writtenInto(
  routing: Routing,
  { rule, parts }: Draft,
  result: ChangeResult,
  target: VirtualServiceName | undefined,
): Routing {
  const yaml = result.objects.find(({ kind }) => kind === "VirtualService")?.after;
  const host = routing.hostname.split(".")[0] ?? routing.hostname;
  const destinations = parts.map(({ subset, version, weight }) => ({ host, ours: true, subset, version, weight }));
  if (target) {
    const written = (entrance: Entrance): Entrance =>
      entrance.namespace === target.namespace && entrance.name === target.name
        ? {
            ...entrance,
            resourceVersion: String(result.revision),
            rules: entrance.rules.map((known) => (known.index === rule ? { ...known, destinations } : known)),
          }
        : entrance;
    const { entrances, delegates = [] } = routing;
    return { ...routing, entrances: entrances.map(written), delegates: delegates.map(written) };
  }
  const { namespace, name } = routing.virtualService ?? { namespace: routing.hostname.split(".")[1] ?? "", name: host };
  return {
    ...routing,
    virtualService: { namespace, name, resourceVersion: String(result.revision), yaml: yaml ?? "" },
    rules: shownRules(routing).map((known) => (known.index === rule ? { ...known, destinations } : known)),
  };
}

function textInForce(routing: Routing | undefined, index: number): string {
  const rule = routing && shownRules(routing).find((one) => one.index === index);
  return routing && rule ? weightsText(splitOf(rule, routing).parts) : "";
}
