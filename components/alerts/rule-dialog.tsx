"use client";
import {
  Autocomplete,
  Button,
  Checkbox,
  Modal,
  MultiSelect,
  NativeSelect,
  NumberInput,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { AlertRuleItem } from "../../server/contract/index.ts";
import { withoutPlaces } from "../config/application.ts";
import { ChangeSafety, SafeButton } from "../config/change-safety.tsx";
import { asDryRun } from "../config/dry-run.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { PlanDetails } from "../config/plan-details.tsx";
import { ObjectDiffs } from "../config/yaml-diff.tsx";
import { toApiError } from "../lib/api.ts";
import { newAlertRuleHref } from "../lib/links.ts";
import { useServices } from "../lib/queries.ts";
import { useSubmit } from "../lib/use-submit.ts";
import { applyYaml } from "../lib/writes.ts";
import { Link } from "../ui/link.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import { useReceivers } from "./alert-queries.ts";
import styles from "./alerts.module.css";
import {
  type ConditionKind,
  conditions,
  draftOfRule,
  type RuleDraft,
  ruleText,
  specOfDraft,
  usualRule,
} from "./rule-draft.ts";

export interface RuleDialogProps {
  /** Undefined: a new one. */
  rule: AlertRuleItem | undefined;
  /** A rule of it that names no service watches the whole mesh. */
  rootNamespace: string;
  onClose: () => void;
  onSaved: () => void;
}

/** What people are told of, whom it is about, when, and who is told. It is written as an AlertRule. */
export function RuleDialog({ rule, rootNamespace, onClose, onSaved }: RuleDialogProps) {
  const t = useTranslations("alert-rules");
  const common = useTranslations("ui");
  const [draft, setDraft] = useState<RuleDraft>(rule ? draftOfRule(rule) : usualRule);
  const { error, busy, submit } = useSubmit();
  const set = (patch: Partial<RuleDraft>) => setDraft({ ...draft, ...patch });
  const { namespace, name } = draft;
  const text = ruleText(
    { namespace, name, resourceVersion: rule?.resourceVersion ?? null },
    specOfDraft(draft, rule?.spec),
  );
  const plan = useRulePlan(name === "" || namespace === "" ? null : text, busy);
  const refused = error ?? plan.error;
  const save = async () => {
    await applyYaml(text, [], { dryRun: false });
    onSaved();
    onClose();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size={560}
      title={rule ? t("edit-title", { name: rule.name }) : t("new-title")}
      closeButtonProps={{ "aria-label": common("close") }}
    >
      <form
        className={styles.rule}
        onSubmit={(event) => {
          event.preventDefault();
          if (plan.data) void submit(save);
        }}
        data-testid="rule-form"
      >
        {!rule && (
          <>
            <TextInput
              label={t("name")}
              value={name}
              onChange={(event) => set({ name: event.currentTarget.value })}
              required
              withAsterisk={false}
              data-autofocus
              data-testid="rule-name"
            />
            <TextInput
              label={t("namespace")}
              value={namespace}
              onChange={(event) => set({ namespace: event.currentTarget.value })}
              required
              withAsterisk={false}
            />
          </>
        )}
        <NativeSelect
          label={t("condition")}
          value={draft.condition}
          onChange={(event) => set({ condition: event.currentTarget.value as ConditionKind })}
          data={conditions.map((value) => ({ value, label: t(`of-${value}`) }))}
          data-testid="rule-condition"
        />
        <Subject draft={draft} set={set} isMeshWide={namespace === rootNamespace} />
        <Limits draft={draft} set={set} />
        <NativeSelect
          label={t("severity")}
          value={draft.severity}
          onChange={(event) => set({ severity: event.currentTarget.value as RuleDraft["severity"] })}
          data={(["Info", "Warning", "Critical"] as const).map((value) => ({ value, label: t(`severity-${value}`) }))}
        />
        <Duration label={t("window")} value={draft.window} onChange={(window) => set({ window })} />
        <Duration label={t("lasts")} value={draft.lasts} onChange={(lasts) => set({ lasts })} />
        <Told draft={draft} set={set} />
        <Checkbox
          className={styles.wide ?? ""}
          label={t("suspended")}
          checked={draft.suspended}
          onChange={(event) => set({ suspended: event.currentTarget.checked })}
        />
        <div className={styles.wide}>
          {refused && <FieldErrors error={withoutPlaces(refused)} />}
          <ChangeSafety plan={plan.shown} />
          {plan.shown && (
            <div className={styles.plan}>
              <PlanDetails title={t("plan")} data-testid="rule-plan">
                <ObjectDiffs objects={plan.shown.objects} />
              </PlanDetails>
            </div>
          )}
          <div className={styles.buttons}>
            <SafeButton
              plan={plan.data}
              onPress={() => void submit(save)}
              loading={busy}
              disabled={!plan.data || plan.data.objects.length === 0}
              data-testid="rule-save"
            >
              {t(rule ? "save" : "make")}
            </SafeButton>
            {!rule && (
              <Button component={Link} href={newAlertRuleHref} variant="subtle" color="gray">
                {t("as-yaml")}
              </Button>
            )}
          </div>
        </div>
      </form>
    </Modal>
  );
}

/** What saving it would write, and what speaks against that. */
function useRulePlan(text: string | null, paused: boolean) {
  const [settled] = useDebouncedValue(text, 200);
  const query = useQuery({
    queryKey: ["alert-rule-plan", settled],
    queryFn: () => applyYaml(settled ?? "", [], { dryRun: true, envoy: true }),
    enabled: settled !== null && !paused,
    ...asDryRun,
    placeholderData: keepPreviousData,
  });
  // A plan of a moment ago may stand there while one types, and not be saved by.
  const isCurrent = settled === text && settled !== null && !query.isPlaceholderData;
  return {
    shown: text === null || query.isError ? null : (query.data ?? null),
    data: isCurrent && !query.isError ? (query.data ?? null) : null,
    error: isCurrent && query.error ? toApiError(query.error) : null,
  };
}

interface FieldsProps {
  draft: RuleDraft;
  set: (patch: Partial<RuleDraft>) => void;
}

function Subject({ draft, set, isMeshWide }: FieldsProps & { isMeshWide: boolean }) {
  const t = useTranslations("alert-rules");
  const services = useServices(defaultWindowSec).data?.services ?? [];
  if (draft.condition === "proxies" || draft.condition === "certificates") return <div />;
  const names = services.filter(({ namespace }) => namespace === draft.namespace).map(({ name }) => name);
  return (
    <Autocomplete
      label={t("service")}
      placeholder={t(isMeshWide ? "everything" : "every-service")}
      value={draft.service}
      onChange={(service) => set({ service })}
      data={[...new Set(names)]}
      data-testid="rule-service"
    />
  );
}

function Limits({ draft, set }: FieldsProps) {
  const t = useTranslations("alert-rules");
  switch (draft.condition) {
    case "errors":
      return (
        <NumberInput
          label={t("errors-above")}
          value={draft.errorsAbove}
          onChange={(errorsAbove) => set({ errorsAbove })}
          min={0}
          max={100}
          suffix=" %"
          data-testid="rule-limit"
        />
      );
    case "latency":
      return (
        <>
          <NativeSelect
            label={t("percentile")}
            value={draft.percentile}
            onChange={(event) => set({ percentile: event.currentTarget.value as RuleDraft["percentile"] })}
            data={["P50", "P90", "P95", "P99"].map((value) => ({ value, label: value.toLowerCase() }))}
          />
          <Duration label={t("above")} value={draft.latencyAbove} onChange={(latencyAbove) => set({ latencyAbove })} />
        </>
      );
    case "rate":
      return (
        <>
          <NumberInput
            label={t("rate-above")}
            value={draft.rateAbove}
            onChange={(rateAbove) => set({ rateAbove })}
            min={0}
            disabled={draft.rateBelow !== ""}
          />
          <NumberInput
            label={t("rate-below")}
            value={draft.rateBelow}
            onChange={(rateBelow) => set({ rateBelow })}
            min={0}
            disabled={draft.rateAbove !== ""}
          />
        </>
      );
    case "health":
      return (
        <NativeSelect
          label={t("at-least")}
          value={draft.atLeast}
          onChange={(event) => set({ atLeast: event.currentTarget.value === "Degraded" ? "Degraded" : "Failing" })}
          data={(["Degraded", "Failing"] as const).map((value) => ({ value, label: t(`health-${value}`) }))}
        />
      );
    case "proxies":
      return (
        <MultiSelect
          label={t("states")}
          value={draft.states}
          onChange={(states) => set({ states: states as RuleDraft["states"] })}
          data={(["Disconnected", "Refused", "Lagging"] as const).map((value) => ({
            value,
            label: t(`state-${value}`),
          }))}
        />
      );
    case "certificates":
      return <Duration label={t("end-within")} value={draft.endWithin} onChange={(endWithin) => set({ endWithin })} />;
  }
}

function Told({ draft, set }: FieldsProps) {
  const t = useTranslations("alert-rules");
  const known = useReceivers().data?.receivers.map(({ name }) => name) ?? [];
  return (
    <MultiSelect
      className={styles.wide ?? ""}
      label={t("receivers")}
      placeholder={draft.receivers.length === 0 ? t("everybody") : ""}
      value={draft.receivers}
      onChange={(receivers) => set({ receivers })}
      data={[...new Set([...known, ...draft.receivers])]}
    />
  );
}

/** As rules have them: 30s, 5m, 1h30m. */
function Duration({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <TextInput
      label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value.trim())}
      placeholder="1m30s"
      required
      withAsterisk={false}
      spellCheck={false}
    />
  );
}
