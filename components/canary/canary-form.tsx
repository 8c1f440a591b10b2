"use client";
import { Button, NumberInput, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ApiError, Entrance } from "../../server/contract/index.ts";
import { ChangeSafety, SafeButton } from "../config/change-safety.tsx";
import { type ChangeView, ChangeViews } from "../config/change-views.tsx";
import { asDryRun } from "../config/dry-run.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { PlanDetails } from "../config/plan-details.tsx";
import { PlanDiff } from "../config/plan-diff.tsx";
import { toApiError } from "../lib/api.ts";
import { startCanary } from "../lib/writes.ts";
import { formatSpan } from "../ui/format.ts";
import styles from "./canary.module.css";
import { type CanaryDraft, holds, newDraft, requestOf, weightsOf } from "./canary-draft.ts";
import { StepHolds } from "./step-holds.tsx";

export interface CanaryFormProps {
  service: { namespace: string; name: string };
  versions: readonly string[];
  usual: { from: string; to: string };
  /** Whose rule it moves; unset: the one inside of the mesh. */
  entrance?: Entrance | undefined;
  onClose: () => void;
}

/** Filled in as most would want it; what it would write is checked while it is made. */
export function CanaryForm({ service, versions, usual, entrance, onClose }: CanaryFormProps) {
  const t = useTranslations("canary");
  const client = useQueryClient();
  const [draft, setDraft] = useState<CanaryDraft>(() => newDraft(usual));
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [view, setView] = useState<ChangeView>("yaml");
  const [settled] = useDebouncedValue(draft, 200);
  const plan = useQuery({
    queryKey: ["canary-plan", service, settled, entrance?.name],
    queryFn: () => startCanary(requestOf(settled, service, entrance), { dryRun: true, envoy: true }),
    enabled: !busy,
    ...asDryRun,
  });
  const error = failure ?? (plan.error ? toApiError(plan.error) : null);
  const start = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await startCanary(requestOf(draft, service, entrance), { dryRun: false });
      for (const name of ["canaries", "routing", "changes", "status", "push"])
        await client.invalidateQueries({ queryKey: [name] });
      onClose();
    } catch (cause) {
      setFailure(toApiError(cause));
      setBusy(false);
    }
  };
  return (
    <form
      className={styles.stack}
      onSubmit={(event) => event.preventDefault()}
      aria-label={t("title")}
      data-testid="canary-form"
    >
      {entrance && (
        <p className={styles.idle}>
          {t("at-entrance", {
            hosts: entrance.hosts.join(", "),
            object: `${entrance.namespace}/${entrance.name}`,
          })}
        </p>
      )}
      <Fields draft={draft} versions={versions} onChange={setDraft} />
      {error && <FieldErrors error={error} />}
      <ChangeSafety plan={plan.data ?? null} />
      {plan.data && (
        <PlanDetails title={t("plan")}>
          <p className={styles.buttons}>
            <ChangeViews view={view} onView={setView} />
          </p>
          <PlanDiff plan={plan.data} view={view} />
        </PlanDetails>
      )}
      <div className={styles.buttons}>
        <SafeButton plan={plan.data ?? null} onPress={() => void start()} loading={busy} data-testid="canary-start">
          {t("start", { version: draft.to, weight: weightsOf(draft.weights)[0] ?? 0 })}
        </SafeButton>
        <Button variant="subtle" color="gray" onClick={onClose}>
          {t("cancel")}
        </Button>
      </div>
    </form>
  );
}

interface FieldsProps {
  draft: CanaryDraft;
  versions: readonly string[];
  onChange: (draft: CanaryDraft) => void;
}

function Fields({ draft, versions, onChange }: FieldsProps) {
  const t = useTranslations("canary");
  const locale = useLocale();
  const set = (patch: Partial<CanaryDraft>) => onChange({ ...draft, ...patch });
  const version = (key: "from" | "to") => (
    <Select
      label={t(key)}
      data={versions}
      value={draft[key]}
      onChange={(value) => value !== null && set({ [key]: value })}
      allowDeselect={false}
      data-testid={`canary-${key}`}
    />
  );
  const limit = (key: "minRequests" | "successMin" | "successDrop" | "latencyRatio", suffix: string, max: number) => (
    <NumberInput
      label={t(`field-${key}`)}
      suffix={suffix}
      min={key === "latencyRatio" || key === "minRequests" ? 1 : 0}
      max={max}
      value={draft[key] ?? ""}
      onChange={(value) => set({ [key]: typeof value === "number" ? value : null })}
      data-testid={`canary-${key}`}
    />
  );
  return (
    <div className={styles.fields}>
      {version("from")}
      {version("to")}
      <TextInput
        label={t("field-weights")}
        value={draft.weights}
        onChange={(event) => set({ weights: event.currentTarget.value })}
        inputMode="numeric"
        data-testid="canary-weights"
      />
      <Select
        label={t("field-hold")}
        data={Object.entries(holds).map(([value, seconds]) => ({ value, label: formatSpan(seconds, locale) }))}
        value={draft.hold}
        onChange={(value) => value !== null && set({ hold: value })}
        allowDeselect={false}
        data-testid="canary-hold"
      />
      <StepHolds draft={draft} onChange={onChange} />
      {limit("successMin", " %", 100)}
      {limit("successDrop", "", 100)}
      {limit("latencyRatio", " ×", 1000)}
      {limit("minRequests", "", 1_000_000)}
    </div>
  );
}
