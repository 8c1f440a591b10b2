"use client";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { ApiError, ChangeResult } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { undoRevision } from "../lib/writes.ts";
import { isPlain } from "./dead-shares.ts";
import { UndoDialog } from "./undo-dialog.tsx";

export interface Undo {
  /**
   * `own`: written on this page a moment ago. It is taken back at once when nothing speaks against it; anything else is shown first, with
   * its diff and its warnings.
   */
  press: (revision: number, options: { own: boolean }) => void;
  busy: boolean;
  dialog: ReactNode;
}

/** The way back of a change: what it would write is asked for before it is written. */
export function useUndo(onDone: (result: ChangeResult) => void): Undo {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState<{ revision: number; plan: ChangeResult | null; error: ApiError | null } | null>(
    null,
  );
  const write = async (revision: number, plan: ChangeResult) => {
    const over = plan.undo?.since[0]?.revision;
    const result = await undoRevision(revision, { dryRun: false, over });
    setShown(null);
    onDone(result);
    void client.invalidateQueries();
  };
  /** A failure stands in the dialog, beside the plan as it is by then: somebody may have been faster. */
  const attempt = async (revision: number, step: () => Promise<void>) => {
    setBusy(true);
    try {
      await step();
    } catch (cause) {
      const error = toApiError(cause);
      const plan = await undoRevision(revision, { dryRun: true, envoy: true }).catch(() => null);
      setShown({ revision, plan, error });
    } finally {
      setBusy(false);
    }
  };
  const press = (revision: number, { own }: { own: boolean }) =>
    void attempt(revision, async () => {
      const plan = await undoRevision(revision, { dryRun: true, envoy: true });
      if (own && isPlain(plan)) return write(revision, plan);
      // The dialog begins at its button, which must not be at work by then.
      setBusy(false);
      setShown({ revision, plan, error: null });
    });
  const dialog = shown && (
    <UndoDialog
      revision={shown.revision}
      plan={shown.plan}
      error={shown.error}
      busy={busy}
      onUndo={() => {
        const { plan } = shown;
        if (plan) void attempt(shown.revision, () => write(shown.revision, plan));
      }}
      onClose={() => setShown(null)}
    />
  );
  return { press, busy, dialog };
}
