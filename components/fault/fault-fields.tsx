"use client";
import { Checkbox, NumberInput, Select, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ServiceMetrics } from "../../server/contract/index.ts";
import { formatSpan } from "../ui/format.ts";
import { PillButton } from "../ui/pill.tsx";
import styles from "./fault.module.css";
import { durations, type FaultDraft, parseSource, sourceChoices, sourceText, statuses } from "./fault-draft.ts";

interface Part {
  draft: FaultDraft;
  onChange: (draft: FaultDraft) => void;
}

export function DelayFields({ draft, onChange }: Part) {
  const t = useTranslations("faults");
  const { delay } = draft;
  const set = (patch: Partial<FaultDraft["delay"]>) => onChange({ ...draft, delay: { ...delay, ...patch } });
  return (
    <Group first on={delay.on} label={t("delay")} onToggle={(on) => set({ on })} testId="delay-on">
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

export function AbortFields({ draft, onChange }: Part) {
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

export function SourceFields({ draft, onChange, metrics }: Part & { metrics: ServiceMetrics | undefined }) {
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

export function HeaderFields({ draft, onChange }: Part) {
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
  /** Where the dialog begins. */
  first?: boolean;
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
        data-autofocus={props.first}
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

export function DurationField({ value, onChange }: { value: number | null; onChange: (value: number | null) => void }) {
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
