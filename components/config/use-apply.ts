"use client";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ApiError, ChangeResult } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { applyYaml } from "../lib/writes.ts";
import { type PlacedError, placeError, withVersion } from "./object-yaml.ts";

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
  /** True when it was written; the caller forgets its draft then. */
  apply: () => Promise<ChangeResult | null>;
  /** What has been taken back, from the caller. */
  undone: (result: ChangeResult) => void;
}

/** A text's way into the mesh: checked while it is written, applied, taken back. Null: nothing to write. */
export function useApply(text: string | null, resourceVersion: string | null): ApplyState {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [revision, setRevision] = useState<number | null>(null);
  const [failure, setFailure] = useState<{ of: string | null; error: ApiError } | null>(null);
  const [settled] = useDebouncedValue(text, 250);
  const sent = settled === null ? null : withVersion(settled, resourceVersion);
  const query = useQuery({
    queryKey: ["apply-plan", sent?.yaml],
    queryFn: () => applyYaml(sent?.yaml ?? "", true),
    enabled: sent !== null && sent.yaml.trim() !== "" && !busy,
    retry: false,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  const run = async (of: string | null, write: () => Promise<ChangeResult>): Promise<ChangeResult | null> => {
    setBusy(true);
    setFailure(null);
    try {
      const result = await write();
      setRevision(result.revision);
      for (const name of ["objects", "object", "changes", "status", "routing", "services", "faults"])
        void client.invalidateQueries({ queryKey: [name] });
      return result;
    } catch (cause) {
      setFailure({ of, error: toApiError(cause) });
      return null;
    } finally {
      setBusy(false);
    }
  };
  const planError = text !== null && query.error ? toApiError(query.error) : null;
  const error = (failure?.of === text ? failure.error : null) ?? planError;
  return {
    plan: text === null || query.isError ? null : (query.data ?? null),
    checking: text !== null && (settled !== text || query.isFetching),
    error,
    errors: (error?.errors ?? []).map((each) => placeError(each, sent?.insertedLine ?? null)),
    busy,
    revision,
    apply: async () =>
      text === null ? null : run(text, () => applyYaml(withVersion(text, resourceVersion).yaml, false)),
    undone: (result) => setRevision(result.revision),
  };
}
