"use client";
import { Checkbox } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import type { ApiError, ChangeResult, ImportRequest, RestoreRequest } from "../../server/contract/index.ts";
import { PlanDialog } from "../config/plan-dialog.tsx";
import { toApiError } from "../lib/api.ts";
import { type HowToWrite, importMesh, restoreMesh } from "../lib/writes.ts";
import styles from "./history.module.css";

export interface MeshPlan {
  restore: (what: RestoreRequest, title: string) => void;
  importText: (what: ImportRequest, title: string) => void;
  /** Whether the rest of the mesh is deleted is asked where it is shown. */
  applyDesign: (design: string) => void;
  busy: boolean;
  /** The design that was put in force last on this page, until it is forgotten. */
  applied: { design: string; revision: number } | null;
  forget: () => void;
  dialog: ReactNode;
}

interface Shown {
  title: string;
  write: (how: HowToWrite) => Promise<ChangeResult>;
  plan: ChangeResult | null;
  error: ApiError | null;
  /** The design that is meant, and whether what it doesn't name goes. */
  design?: { name: string; prune: boolean };
}

/** Of what a plan does to objects: those that are gone by it are not written. */
function countsOf({ objects }: ChangeResult): { written: number; deleted: number } {
  const deleted = objects.filter(({ after }) => after === "").length;
  return { written: objects.length - deleted, deleted };
}

/** Restores and imports: what they would write is shown, with what speaks against it, before it is written. */
export function useMeshPlan(): MeshPlan {
  const t = useTranslations("history");
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState<Shown | null>(null);
  const [applied, setApplied] = useState<MeshPlan["applied"]>(null);
  const look = async (title: string, write: Shown["write"], design?: Shown["design"]) => {
    setBusy(true);
    const asked = await write({ dryRun: true, envoy: true }).then(
      (plan) => ({ plan, error: null }),
      (cause: unknown) => ({ plan: null, error: toApiError(cause) }),
    );
    setBusy(false);
    setShown({ title, write, ...asked, ...(design && { design }) });
  };
  const lookAt = (name: string, prune: boolean) =>
    look(t("apply-design-title", { name }), (how) => importMesh({ design: name, prune }, how), { name, prune });
  const run = async (asked: Shown) => {
    const { write, design } = asked;
    setBusy(true);
    try {
      const { revision } = await write({ dryRun: false });
      setApplied(design ? { design: design.name, revision } : null);
      setShown(null);
      void client.invalidateQueries();
    } catch (cause) {
      const plan = await write({ dryRun: true, envoy: true }).catch(() => null);
      setShown({ ...asked, plan, error: toApiError(cause) });
    } finally {
      setBusy(false);
    }
  };
  const nothing = shown?.plan?.objects.length === 0;
  const dialog = shown && (
    <PlanDialog
      title={shown.title}
      plan={shown.plan}
      error={shown.error}
      busy={busy}
      doing={
        nothing || !shown.plan ? t("apply-plain") : t("apply", { ...countsOf(shown.plan), proxies: shown.plan.proxies })
      }
      onDo={() => void run(shown)}
      onClose={() => setShown(null)}
      data-testid="mesh-plan-dialog"
    >
      {shown.design && (
        <Checkbox
          className={styles.prune ?? ""}
          size="xs"
          label={t("prune")}
          checked={shown.design.prune}
          disabled={busy}
          onChange={(event) => void lookAt(shown.design?.name ?? "", event.currentTarget.checked)}
          data-testid="design-prune"
        />
      )}
    </PlanDialog>
  );
  return {
    restore: (what, title) => void look(title, (how) => restoreMesh(what, how)),
    importText: (what, title) => void look(title, (how) => importMesh(what, how)),
    applyDesign: (design) => void lookAt(design, false),
    busy,
    applied,
    forget: () => setApplied(null),
    dialog,
  };
}
