"use client";
import { Button, Checkbox, NumberInput, Select, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ApiError, ChangeResult, Fault, ServiceMetrics } from "../../server/contract/index.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { ObjectDiffs } from "../config/yaml-diff.tsx";
import { EnvoyDiff } from "../traffic/envoy-diff.tsx";
import { DangerButton } from "../ui/danger-button.tsx";
import { formatSpan } from "../ui/format.ts";
import { PillButton } from "../ui/pill.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import styles from "./fault.module.css";
import {
  durations,
  type FaultDraft,
  faultedProxies,
  impactOf,
  parseSource,
  sourceChoices,
  sourceText,
  statuses,
} from "./fault-draft.ts";
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
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        onStart();
      }}
    >
      <DelayFields draft={draft} onChange={onChange} />
      <AbortFields draft={draft} onChange={onChange} />
      <SourceFields draft={draft} onChange={onChange} metrics={metrics} />
      <HeaderFields draft={draft} onChange={onChange} />
      <DurationField value={draft.durationSec} onChange={(durationSec) => onChange({ ...draft, durationSec })} />
      <Impact draft={draft} metrics={metrics} ready={ready} />
      {error && (isTaken ? <InTheWay error={error} burning={burning} /> : <FieldErrors error={error} />)}
      {plan && (
        <details className={styles.plan}>
          <summary>{t("plan")}</summary>
          <ObjectDiffs objects={plan.objects} />
        </details>
      )}
      {plan?.envoy && (
        <details className={styles.plan} data-testid="fault-envoy">
          <summary>{t("plan-envoy", { count: plan.envoy.proxies.length })}</summary>
          <EnvoyDiff preview={plan.envoy} />
        </details>
      )}
      <div className={styles.buttons}>
        <DangerButton filled type="submit" loading={busy} disabled={!ready || isRefused} data-testid="fault-start">
          {plan
            ? t("start", { count: plan.envoy ? faultedProxies(plan.envoy).length : plan.proxies })
            : t("start-plain")}
        </DangerButton>
        <Button variant="subtle" color="gray" onClick={onCancel}>
          {t("cancel")}
        </Button>
      </div>
    </form>
  );
}

type Part = Pick<FaultFormProps, "draft" | "onChange">;

function DelayFields({ draft, onChange }: Part) {
  const t = useTranslations("faults");
  const { delay } = draft;
  const set = (patch: Partial<FaultDraft["delay"]>) => onChange({ ...draft, delay: { ...delay, ...patch } });
  return (
    <Group on={delay.on} label={t("delay")} onToggle={(on) => set({ on })} testId="delay-on">
      <Percent value={delay.percentage} onChange={(percentage) => set({ percentage })} testId="delay-percentage" />
      <NumberInput
        label={t("delay-by")}
        suffix=" ms"
        min={1}
        max={600_000}
        step={100}
        allowDecimal={false}
        value={delay.fixedDelayMs ?? ""}
        onChange={(value) => set({ fixedDelayMs: numberOf(value) })}
        data-testid="delay-ms"
      />
    </Group>
  );
}

function AbortFields({ draft, onChange }: Part) {
  const t = useTranslations("faults");
  const { abort } = draft;
  const set = (patch: Partial<FaultDraft["abort"]>) => onChange({ ...draft, abort: { ...abort, ...patch } });
  return (
    <Group on={abort.on} label={t("abort")} onToggle={(on) => set({ on })} testId="abort-on">
      <Percent value={abort.percentage} onChange={(percentage) => set({ percentage })} testId="abort-percentage" />
      <div>
        <NumberInput
          label={t("abort-with")}
          min={200}
          max={599}
          allowDecimal={false}
          value={abort.httpStatus ?? ""}
          onChange={(value) => set({ httpStatus: numberOf(value) })}
          data-testid="abort-status"
        />
        <span className={styles.choices}>
          {statuses.map((status) => (
            <PillButton
              key={status}
              pressed={abort.httpStatus === status}
              onClick={() => set({ httpStatus: status })}
              title={t(`status-${status}`)}
            >
              {status}
            </PillButton>
          ))}
        </span>
      </div>
    </Group>
  );
}

function SourceFields({ draft, onChange, metrics }: Part & Pick<FaultFormProps, "metrics">) {
  const t = useTranslations("faults");
  const { source } = draft;
  const chosen = source.caller && sourceText(source.caller);
  const known = sourceChoices(metrics?.callers ?? []).map(sourceText);
  // A caller that was asked for in the address may be silent right now.
  const choices = chosen && !known.includes(chosen) ? [chosen, ...known] : known;
  const set = (patch: Partial<FaultDraft["source"]>) => onChange({ ...draft, source: { ...source, ...patch } });
  const label = (value: string) => {
    const [namespace, app, version] = value.split("/");
    return `${app}${version ? ` ${version}` : ""} · ${namespace}`;
  };
  return (
    <Group
      on={source.on}
      label={t("source")}
      // The only caller is the one that is meant.
      onToggle={(on) =>
        set({ on, caller: source.caller ?? parseSource(choices.length === 1 ? (choices[0] ?? null) : null) })
      }
      testId="source-on"
    >
      <Select
        className={styles.wide ?? ""}
        label={t("source-caller")}
        placeholder={choices.length > 0 ? t("source-choose") : t("source-none")}
        data={choices.map((value) => ({ value, label: label(value) }))}
        value={chosen}
        allowDeselect={false}
        onChange={(value) => set({ caller: parseSource(value) })}
        data-testid="source-caller"
      />
    </Group>
  );
}

function HeaderFields({ draft, onChange }: Part) {
  const t = useTranslations("faults");
  const { header } = draft;
  const set = (patch: Partial<FaultDraft["header"]>) => onChange({ ...draft, header: { ...header, ...patch } });
  return (
    <Group on={header.on} label={t("header")} onToggle={(on) => set({ on })} testId="header-on">
      <TextInput
        label={t("header-name")}
        placeholder="end-user"
        value={header.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        data-testid="header-name"
      />
      <TextInput
        label={t("header-value")}
        placeholder="jason"
        value={header.exact}
        onChange={(event) => set({ exact: event.currentTarget.value })}
        data-testid="header-value"
      />
    </Group>
  );
}

function Group(props: {
  on: boolean;
  label: string;
  onToggle: (on: boolean) => void;
  testId: string;
  children: ReactNode;
}) {
  return (
    <fieldset className={styles.group}>
      <legend className="visually-hidden">{props.label}</legend>
      <Checkbox
        label={props.label}
        checked={props.on}
        onChange={(event) => props.onToggle(event.currentTarget.checked)}
        data-testid={props.testId}
      />
      {props.on && <div className={styles.fields}>{props.children}</div>}
    </fieldset>
  );
}

function Percent({
  value,
  onChange,
  testId,
}: {
  value: number | null;
  onChange: (value: number | null) => void;
  testId: string;
}) {
  const t = useTranslations("faults");
  return (
    <NumberInput
      label={t("percentage")}
      suffix=" %"
      min={0}
      max={100}
      decimalScale={4}
      value={value ?? ""}
      onChange={(next) => onChange(numberOf(next))}
      data-testid={testId}
    />
  );
}

const numberOf = (value: number | string): number | null =>
  value === "" || !Number.isFinite(Number(value)) ? null : Number(value);

function DurationField({ value, onChange }: { value: number | null; onChange: (value: number | null) => void }) {
  const t = useTranslations("faults");
  const locale = useLocale();
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{t("ends")}</legend>
      <span className={styles.choices}>
        {durations.map((seconds) => (
          <PillButton
            key={seconds}
            pressed={seconds === value}
            tone={seconds === null && value === null ? "warn" : "plain"}
            onClick={() => onChange(seconds)}
            data-testid={`duration-${seconds ?? "open"}`}
          >
            {seconds === null ? t("until-stopped") : formatSpan(seconds, locale)}
          </PillButton>
        ))}
      </span>
    </fieldset>
  );
}

/** From live traffic: how many requests a minute, and whose. */
function Impact({ draft, metrics, ready }: { draft: FaultDraft; metrics: ServiceMetrics | undefined; ready: boolean }) {
  const t = useTranslations("faults");
  const locale = useLocale();
  if (!ready) return <p className={styles.impact}>{t("incomplete")}</p>;
  if (!metrics) return <p className={styles.impact}>{t("impact-unknown")}</p>;
  const { perMinute, callers, atMost } = impactOf(draft, metrics);
  if (perMinute === 0) return <p className={styles.impact}>{t("impact-none")}</p>;
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
    </div>
  );
}

export function ServiceChoice({
  services,
  onChoose,
}: {
  services: readonly { namespace: string; name: string }[];
  onChoose: (service: { namespace: string; name: string }) => void;
}) {
  const t = useTranslations("faults");
  return (
    <Select
      label={t("service")}
      placeholder={t("service-choose")}
      searchable
      data-autofocus
      data={services.map(({ namespace, name }) => ({ value: `${namespace}/${name}`, label: `${name} · ${namespace}` }))}
      onChange={(value) => {
        const [namespace, name] = value?.split("/") ?? [];
        if (namespace && name) onChoose({ namespace, name });
      }}
      data-testid="fault-service"
    />
  );
}
