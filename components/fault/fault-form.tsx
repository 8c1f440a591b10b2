"use client";
import { Button, Select } from "@mantine/core";
import { useLocale, useTranslations } from "use-intl";
import {
  type ApiError,
  type ChangeResult,
  deadShares,
  type Fault,
  type MeshService,
  type ServiceMetrics,
  serviceTitle,
} from "../../server/contract/index.ts";
import { ChangeSafety, SafeButton } from "../config/change-safety.tsx";
import { FieldErrors } from "../config/field-errors.tsx";
import { PlanDetails } from "../config/plan-details.tsx";
import { ObjectDiffs } from "../config/yaml-diff.tsx";
import { EnvoyDiff } from "../traffic/envoy-diff.tsx";
import { DangerButton } from "../ui/danger-button.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import styles from "./fault.module.css";
import { type FaultDraft, type FaultPlaces, faultedProxies, impactOf, placesOf } from "./fault-draft.ts";
import { AbortFields, DelayFields, DurationField, HeaderFields, SourceFields } from "./fault-fields.tsx";
import { InTheWay } from "./in-the-way.tsx";

export interface FaultFormProps {
  draft: FaultDraft;
  onChange: (draft: FaultDraft) => void;
  metrics: ServiceMetrics | undefined;
  plan: ChangeResult | null;
  error: ApiError | null;
  /** What burns on the service already. */
  burning: readonly Fault[];
  ready: boolean;
  busy: boolean;
  onStart: () => void;
  onCancel: () => void;
}

/** What to do to how many requests, for how long; and before it starts, whom it will hit. */
export function FaultForm(props: FaultFormProps) {
  const { draft, onChange, metrics, plan, error, burning, ready, busy, onStart, onCancel } = props;
  const t = useTranslations("faults");
  const isTaken = error !== null && burning.length > 0 && (error.code === "INVALID" || error.code === "CONFLICT");
  // What the control plane refuses would be refused again; what can't be asked right now may be tried.
  const isRefused = error !== null && error.code !== "CONTROL_PLANE_UNREACHABLE" && error.code !== "INTERNAL";
  // Beside the fault itself: what sends requests nowhere is to be confirmed by name.
  const dead = plan !== null && deadShares(plan).length > 0;
  const startText = plan
    ? t("start", { count: plan.envoy ? faultedProxies(plan.envoy).length : plan.proxies })
    : t("start-plain");
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!dead) onStart();
      }}
    >
      <DelayFields draft={draft} onChange={onChange} />
      <AbortFields draft={draft} onChange={onChange} />
      <SourceFields draft={draft} onChange={onChange} metrics={metrics} />
      <HeaderFields draft={draft} onChange={onChange} />
      <DurationField value={draft.durationSec} onChange={(durationSec) => onChange({ ...draft, durationSec })} />
      <Impact draft={draft} metrics={metrics} ready={ready} places={plan ? placesOf(plan.objects) : undefined} />
      {error && (isTaken ? <InTheWay error={error} burning={burning} /> : <FieldErrors error={error} />)}
      <ChangeSafety plan={plan} />
      {plan && (
        <PlanDetails title={t("plan")}>
          <ObjectDiffs objects={plan.objects} />
        </PlanDetails>
      )}
      {plan?.envoy && (
        <PlanDetails title={t("plan-envoy", { count: plan.envoy.proxies.length })} data-testid="fault-envoy">
          <EnvoyDiff preview={plan.envoy} />
        </PlanDetails>
      )}
      <div className={styles.buttons}>
        {dead ? (
          <SafeButton
            plan={plan}
            onPress={onStart}
            loading={busy}
            disabled={!ready || isRefused}
            data-testid="fault-start"
          >
            {startText}
          </SafeButton>
        ) : (
          <DangerButton filled type="submit" loading={busy} disabled={!ready || isRefused} data-testid="fault-start">
            {startText}
          </DangerButton>
        )}
        <Button variant="subtle" color="gray" onClick={onCancel}>
          {t("cancel")}
        </Button>
      </div>
    </form>
  );
}

/** From live traffic: how many requests a minute, and whose. */
interface ImpactProps {
  draft: FaultDraft;
  metrics: ServiceMetrics | undefined;
  ready: boolean;
  /** Undefined until the control plane has said what would be written. */
  places: FaultPlaces | undefined;
}

function Impact({ draft, metrics, ready, places }: ImpactProps) {
  const t = useTranslations("faults");
  const locale = useLocale();
  if (!ready) return <p className={styles.impact}>{t("incomplete")}</p>;
  if (!metrics) return <p className={styles.impact}>{t("impact-unknown")}</p>;
  const { perMinute, callers, spared, atMost } = impactOf(draft, metrics, places);
  if (perMinute === 0) {
    return (
      <p className={styles.impact} data-testid="fault-impact">
        {spared.length > 0 ? t("impact-spared-all", { callers: spared.join(t("comma")) }) : t("impact-none")}
      </p>
    );
  }
  const count = new Intl.NumberFormat(locale, { maximumFractionDigits: perMinute < 10 ? 1 : 0 });
  return (
    <div className={styles.impact} data-testid="fault-impact">
      <p>{t(atMost ? "impact-most" : "impact", { count: count.format(perMinute) })}</p>
      <ul>
        {callers.slice(0, 6).map(({ name, version, perMinute: rate }) => (
          <li key={`${name}/${version}`}>
            {name} {version && <VersionChip version={version} />} <span className="muted">{count.format(rate)}</span>
          </li>
        ))}
      </ul>
      {spared.length > 0 && <p className="muted">{t("impact-spared", { callers: spared.join(t("comma")) })}</p>}
      {places && places.gateways.length > 0 && (
        <p className="muted" data-testid="fault-places">
          {t(places.mesh ? "places-both" : "places-gateways", { gateways: places.gateways.join(t("comma")) })}
        </p>
      )}
    </div>
  );
}

export function ServiceChoice({
  services,
  onChoose,
}: {
  services: readonly MeshService[];
  onChoose: (service: { namespace: string; name: string }) => void;
}) {
  const t = useTranslations("faults");
  return (
    <Select
      label={t("service")}
      placeholder={t("service-choose")}
      searchable
      data-autofocus
      data={services.map((service) => ({
        value: `${service.namespace}/${service.hostname}`,
        label: `${serviceTitle(service)} · ${service.namespace}`,
      }))}
      onChange={(value) => {
        const [namespace, name] = value?.split("/") ?? [];
        if (namespace && name) onChoose({ namespace, name });
      }}
      data-testid="fault-service"
    />
  );
}
