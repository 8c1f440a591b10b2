"use client";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, type ChangeResult, deadShares } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { applyYaml } from "../lib/writes.ts";
import { type Application, joinTexts, type PlacedError } from "./application.ts";
import { asDryRun } from "./dry-run.ts";

export interface ApplyState {
  /** What applying would write; null until known, or when the text is wrong. */
  plan: ChangeResult | null;
  checking: boolean;
  error: ApiError | null;
  /** The same, line by line. */
  errors: readonly PlacedError[];
  busy: boolean;
  /** The last revision that was written here. */
  revision: number | null;
  /** What was written; null when it was refused. The caller forgets its draft then. */
  apply: () => Promise<ChangeResult | null>;
  /** What has been taken back, from the caller. */
  undone: (result: ChangeResult) => void;
}

const read = ["objects", "object", "changes", "status", "routing", "services", "faults", "rate-limits"];

/** A change's way into the mesh: checked while it is written, applied, taken back. Null: nothing to write. `envoy`: ask also for what proxies would get. */
export function useApply(change: Application | null, { envoy = false } = {}): ApplyState {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [revision, setRevision] = useState<number | null>(null);
  // What has just been written needs no plan: until its draft is gone it is against a version that is no longer the stored one.
  const [written, setWritten] = useState<string | null>(null);
  if (change === null && written !== null) setWritten(null);
  const [failure, setFailure] = useState<{ of: string | null; error: ApiError } | null>(null);
  const key = change === null ? null : JSON.stringify(change);
  const [settled] = useDebouncedValue(key, 250);
  const wanted = settled === null ? null : (JSON.parse(settled) as Application);
  const joined = wanted && joinTexts(wanted.texts);
  const isEmpty = !joined || (joined.yaml.trim() === "" && (wanted?.removed ?? []).length === 0);
  const query = useQuery({
    queryKey: ["apply-plan", settled, envoy],
    queryFn: () => applyYaml(joined?.yaml ?? "", wanted?.removed ?? [], { dryRun: true, envoy }),
    // What was settled is behind by a moment: once it is written, or discarded, nobody asks what it would do.
    enabled: change !== null && !isEmpty && !busy && settled !== written,
    ...asDryRun,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  const checking = change !== null && (settled !== key || query.isFetching);
  const apply = async (): Promise<ChangeResult | null> => {
    if (change === null) return null;
    setBusy(true);
    setFailure(null);
    try {
      const write = (dryRun: boolean) => applyYaml(joinTexts(change.texts).yaml, change.removed ?? [], { dryRun });
      // Nobody has seen yet what this does: what sends requests nowhere is to be confirmed by name, once it is.
      if (checking && deadShares(await write(true)).length > 0) return null;
      const result = await write(false);
      setRevision(result.revision);
      setWritten(key);
      for (const name of read) void client.invalidateQueries({ queryKey: [name] });
      return result;
    } catch (cause) {
      setFailure({ of: key, error: toApiError(cause) });
      return null;
    } finally {
      setBusy(false);
    }
  };
  const planError = change !== null && key !== written && query.error ? toApiError(query.error) : null;
  const error = (failure?.of === key ? failure.error : null) ?? planError;
  return {
    plan: change === null || query.isError ? null : (query.data ?? null),
    checking,
    error,
    errors: (error?.errors ?? []).map((each) => joined?.place(each) ?? { ...each, text: null, line: null }),
    busy,
    revision,
    apply,
    undone: (result) => setRevision(result.revision),
  };
}
