"use client";
import { Button, Popover, TextInput } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useId, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { formatSpan, formatStretch } from "./format.ts";
import { PillButton } from "./pill.tsx";
import {
  type Comparison,
  checkRange,
  comparisons,
  fromLocalInput,
  longestWindowSec,
  type TimeRange,
  toLocalInput,
} from "./time-range.ts";
import styles from "./time-range-picker.module.css";
import { timeWindows } from "./time-window.ts";

export interface TimeRangePickerProps {
  value: TimeRange;
  onChange: (range: TimeRange) => void;
  /** Left out: nothing is compared there. */
  compare?: { value: Comparison | null; onChange: (comparison: Comparison | null) => void };
  /** Seconds; default: those of every page. */
  windows?: readonly number[];
  /** Of what was not measured but written down: there is no need to ask for a time at all, and what is asked for may be older than what was measured. */
  history?: {
    /** What the button says, in the place of the range. */
    text: string;
    /** Undefined: no time is asked for. */
    onAny: (() => void) | undefined;
  };
}

/** Which time a page shows: the last so-and-so long, or from here to there; and what it is compared with. */
export function TimeRangePicker({ value, onChange, compare, windows = timeWindows, history }: TimeRangePickerProps) {
  const t = useTranslations("ui.window");
  const locale = useLocale();
  const [opened, setOpened] = useState(false);
  const choose = (range: TimeRange) => {
    setOpened(false);
    onChange(range);
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={540} trapFocus returnFocus shadow="md">
      <Popover.Target>
        <PillButton data-testid="window-picker" onClick={() => setOpened((open) => !open)}>
          <span suppressHydrationWarning>
            {history
              ? history.text
              : value.at === null
                ? t("last", { span: formatSpan(value.windowSec, locale) })
                : formatStretch(value.at, value.windowSec, locale)}
          </span>
          {compare?.value && <span className={styles.compared}>· {t(`compare-${compare.value}`)}</span>}
          <IconChevronDown size={13} aria-hidden />
        </PillButton>
      </Popover.Target>
      <Popover.Dropdown className={styles.dropdown ?? ""} aria-label={t("label")}>
        <div className={styles.presets}>
          {history && (
            <PillButton
              pressed={history.onAny === undefined}
              onClick={() => {
                setOpened(false);
                history.onAny?.();
              }}
              data-testid="window-any"
            >
              {t("any")}
            </PillButton>
          )}
          {windows.map((seconds) => (
            <PillButton
              key={seconds}
              pressed={!history && value.at === null && seconds === value.windowSec}
              onClick={() => choose({ windowSec: seconds, at: null })}
              data-testid={`window-${seconds}`}
            >
              {t("last", { span: formatSpan(seconds, locale) })}
            </PillButton>
          ))}
        </div>
        <CustomRange
          value={value}
          onApply={choose}
          longestSec={history ? Number.POSITIVE_INFINITY : longestWindowSec}
        />
        {compare && (
          <fieldset className={styles.compare}>
            <legend>{t("compare")}</legend>
            {[null, ...comparisons].map((one) => (
              <PillButton
                key={one ?? "none"}
                pressed={compare.value === one}
                onClick={() => compare.onChange(one)}
                data-testid={`compare-${one ?? "none"}`}
              >
                {t(one ? `compare-${one}` : "compare-none")}
              </PillButton>
            ))}
          </fieldset>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

interface CustomRangeProps {
  value: TimeRange;
  onApply: (range: TimeRange) => void;
  longestSec: number;
}

function CustomRange({ value, onApply, longestSec }: CustomRangeProps) {
  const t = useTranslations("ui.window");
  const id = useId();
  const [ends, setEnds] = useState(() => {
    const to = value.at ?? Date.now();
    return { from: toLocalInput(to - value.windowSec * 1000), to: toLocalInput(to) };
  });
  const [from, to] = [fromLocalInput(ends.from), fromLocalInput(ends.to)];
  const problem = checkRange(from, to, Date.now(), longestSec);
  const field = (name: "from" | "to") => (
    <TextInput
      size="xs"
      placeholder="2026-01-31 14:00:00"
      spellCheck={false}
      autoComplete="off"
      label={t(name)}
      value={ends[name]}
      onChange={({ currentTarget }) => setEnds((known) => ({ ...known, [name]: currentTarget.value }))}
      aria-describedby={`${id}-problem`}
      data-testid={`range-${name}`}
    />
  );
  return (
    <form
      className={styles.custom}
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem && from !== null && to !== null) onApply({ windowSec: Math.round((to - from) / 1000), at: to });
      }}
    >
      {field("from")}
      {field("to")}
      <Button type="submit" size="xs" variant="default" disabled={problem !== null} data-testid="range-apply">
        {t("show")}
      </Button>
      <p id={`${id}-problem`} role="status" className={styles.problem}>
        {problem && t(`problem-${problem}`)}
      </p>
    </form>
  );
}
