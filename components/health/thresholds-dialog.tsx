"use client";
import { Checkbox, NumberInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { use, useState } from "react";
import { useTranslations } from "use-intl";
import { type ApiError, ThresholdSettings } from "../../server/contract/index.ts";
import { asDryRun } from "../config/dry-run.ts";
import { PlanDialog } from "../config/plan-dialog.tsx";
import { getJson, type Settled, toApiError } from "../lib/api.ts";
import { setThresholds, thresholdsPath } from "../lib/writes.ts";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import styles from "./thresholds.module.css";
import {
  draftOf,
  isUnchanged,
  type ThresholdDraft,
  type ThresholdKey,
  thresholdKeys,
  thresholdsOf,
} from "./thresholds-draft.ts";

export interface ThresholdsDialogProps {
  /** By its hostname or name; left out: what counts for services that say nothing themselves. */
  service?: { namespace: string; name: string; title: string };
  /** What the server has read, where the page's address asked it to. */
  initial: Promise<Settled<ThresholdSettings>> | null;
  onClose: () => void;
}

/** From where on a service, or every service of the mesh, is degraded and failing. */
export function ThresholdsDialog({ service, initial, onClose }: ThresholdsDialogProps) {
  const t = useTranslations("thresholds");
  const first = initial && use(initial);
  const settings = useQuery({
    ...(first?.ok && { initialData: first.value }),
    queryKey: ["thresholds", service?.namespace, service?.name],
    queryFn: ({ signal }) => getJson(ThresholdSettings, thresholdsPath(service), signal),
    retry: false,
    staleTime: 0,
    gcTime: 0,
  });
  if (settings.data) return <Editor settings={settings.data} onClose={onClose} {...(service && { service })} />;
  return (
    <PlanDialog
      title={service ? t("title", { service: service.title }) : t("title-mesh")}
      plan={null}
      error={settings.error ? toApiError(settings.error) : null}
      busy={false}
      doing={t("save")}
      onDo={() => {}}
      onClose={onClose}
      inPage
      data-testid="thresholds-dialog"
    >
      {settings.error ? null : <SkeletonBlock height={180} />}
    </PlanDialog>
  );
}

type EditorProps = Omit<ThresholdsDialogProps, "initial"> & { settings: ThresholdSettings };

function Editor({ service, settings, onClose }: EditorProps) {
  const t = useTranslations("thresholds");
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(settings.own, settings.usual));
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [settled] = useDebouncedValue(draft, 250);
  // What is so already is no change: a mesh without a MeshConfig would be offered an empty one.
  const own = isUnchanged(settled, settings) ? null : thresholdsOf(settled);
  const plan = useQuery({
    queryKey: ["thresholds-plan", service?.namespace, service?.name, own],
    queryFn: () => setThresholds(service, own ?? {}, { dryRun: true, envoy: true }),
    enabled: own !== null && !busy,
    ...asDryRun,
  });
  const save = async () => {
    const wanted = thresholdsOf(draft);
    if (wanted === null) return;
    setBusy(true);
    setFailure(null);
    try {
      await setThresholds(service, wanted, { dryRun: false });
      for (const name of ["services", "graph", "metrics", "status", "changes"])
        void client.invalidateQueries({ queryKey: [name] });
      onClose();
    } catch (cause) {
      setFailure(toApiError(cause));
      setBusy(false);
    }
  };
  const error = failure ?? (plan.error ? toApiError(plan.error) : null);
  return (
    <PlanDialog
      title={service ? t("title", { service: service.title }) : t("title-mesh")}
      plan={own === null ? null : (plan.data ?? null)}
      error={error}
      busy={busy}
      doing={t("save")}
      onDo={() => void save()}
      onClose={onClose}
      inPage
      data-testid="thresholds-dialog"
    >
      <p className={styles.hint}>{t(service ? "hint" : "hint-mesh")}</p>
      <Fields draft={draft} settings={settings} onChange={setDraft} />
    </PlanDialog>
  );
}

interface FieldsProps {
  draft: ThresholdDraft;
  settings: ThresholdSettings;
  onChange: (draft: ThresholdDraft) => void;
}

function Fields({ draft, settings, onChange }: FieldsProps) {
  const t = useTranslations("thresholds");
  const usual = draftOf({}, settings.usual);
  const change = (key: ThresholdKey, part: Partial<ThresholdDraft[ThresholdKey]>) =>
    onChange({ ...draft, [key]: { ...draft[key], ...part } });
  return (
    <div className={styles.fields}>
      {thresholdKeys.map((key) => {
        const { own, degraded, failing } = draft[key];
        const unit = key === "latencyMsP95" ? " ms" : " %";
        const most = key === "latencyMsP95" ? {} : { max: 100 };
        const limit = (level: "degraded" | "failing", value: number | string) => (
          <NumberInput
            size="xs"
            label={t(level)}
            aria-label={`${t(key)}: ${t(level)}`}
            value={own ? value : usual[key][level]}
            onChange={(next) => change(key, { [level]: next })}
            disabled={!own}
            min={key === "latencyMsP95" ? 1 : 0}
            {...most}
            suffix={unit}
            decimalScale={4}
            data-testid={`threshold-${key}-${level}`}
          />
        );
        return (
          <fieldset key={key} className={styles.field}>
            <legend>{t(key)}</legend>
            <Checkbox
              size="xs"
              label={t("own")}
              aria-label={`${t(key)}: ${t("own")}`}
              checked={own}
              onChange={({ currentTarget }) => change(key, { own: currentTarget.checked })}
              data-testid={`threshold-${key}-own`}
            />
            {limit("degraded", degraded)}
            {limit("failing", failing)}
          </fieldset>
        );
      })}
    </div>
  );
}
