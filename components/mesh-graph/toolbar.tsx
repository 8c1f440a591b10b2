"use client";
import { Menu } from "@mantine/core";
import { IconAdjustments, IconCheck, IconChevronDown, IconList, IconTopologyStar3 } from "@tabler/icons-react";
import { useId, useState } from "react";
import { useTranslations } from "use-intl";
import { useFollowing } from "../lib/use-following.ts";
import { PillButton } from "../ui/pill.tsx";
import { rangeParams } from "../ui/time-range.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import type { FindError, FindResult } from "./find.ts";
import styles from "./topology.module.css";
import { type LabelKind, labelKinds, type TopologyState } from "./use-topology-state.ts";

export interface ToolbarProps {
  state: TopologyState;
  parsed: FindResult;
  /** How many were found; null without an expression. */
  found: number | null;
}

export function Toolbar({ state, parsed, found }: ToolbarProps) {
  const t = useTranslations("topology");
  const { windowSec, range, hideIdle, animate, list, set } = state;
  const Other = list ? IconTopologyStar3 : IconList;
  const toggleIdle = () => set({ idle: hideIdle ? null : "hide" });
  const toggleAnimate = () => set({ animate: animate ? "off" : "on" });
  return (
    <div className={styles.toolbar} role="toolbar" aria-label={t("options")}>
      <TimeRangePicker
        value={range ?? { windowSec, at: null }}
        onChange={(next) => set({ ...rangeParams(next), at: null })}
      />
      <FindBox state={state} parsed={parsed} found={found} />
      <div className={styles.wide}>
        <PillButton pressed={hideIdle} onClick={toggleIdle} data-testid="hide-idle">
          {t("hide-idle")}
        </PillButton>
        {!list && <LabelsMenu state={state} />}
        {!list && (
          <PillButton pressed={animate} onClick={toggleAnimate} data-testid="animate">
            {t("animate")}
          </PillButton>
        )}
      </div>
      <PillButton onClick={() => set({ view: list ? null : "list" })} data-testid="view-toggle">
        <Other size={14} aria-hidden />
        {list ? t("map") : t("list")}
      </PillButton>
      <Menu>
        <Menu.Target>
          <PillButton className={styles.narrow} aria-label={t("options")}>
            <IconAdjustments size={14} aria-hidden />
          </PillButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<Check on={hideIdle} />} onClick={toggleIdle}>
            {t("hide-idle")}
          </Menu.Item>
          <Menu.Item leftSection={<Check on={animate} />} onClick={toggleAnimate}>
            {t("animate")}
          </Menu.Item>
          <Menu.Label>{t("labels")}</Menu.Label>
          <LabelItems state={state} />
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

function LabelsMenu({ state }: { state: TopologyState }) {
  const t = useTranslations("topology");
  const shown = state.labels.map((kind) => t(`label-${kind}`)).join(", ") || t("labels-none");
  return (
    <Menu closeOnItemClick={false} position="bottom-start">
      <Menu.Target>
        <PillButton data-testid="labels">
          {t("labels")}: {shown}
          <IconChevronDown size={13} aria-hidden />
        </PillButton>
      </Menu.Target>
      <Menu.Dropdown>
        <LabelItems state={state} />
      </Menu.Dropdown>
    </Menu>
  );
}

function LabelItems({ state: { labels, set } }: { state: TopologyState }) {
  const t = useTranslations("topology");
  const toggle = (kind: LabelKind) => {
    const next = labelKinds.filter((one) => (one === kind) !== labels.includes(one));
    set({ labels: next.length === labelKinds.length ? null : next.join(",") || "none" });
  };
  return labelKinds.map((kind) => (
    <Menu.Item
      key={kind}
      role="menuitemcheckbox"
      aria-checked={labels.includes(kind)}
      leftSection={<Check on={labels.includes(kind)} />}
      onClick={() => toggle(kind)}
    >
      {t(`label-${kind}`)}
    </Menu.Item>
  ));
}

const Check = ({ on }: { on: boolean }) => <IconCheck size={14} aria-hidden visibility={on ? "visible" : "hidden"} />;

function FindBox({ state, parsed, found }: ToolbarProps) {
  const t = useTranslations("topology");
  const help = useTranslations("find");
  const id = useId();
  const [focused, setFocused] = useState(false);
  const wrong = parsed.ok ? null : parsed.error;
  return (
    <div className={styles.find} data-wrong={wrong !== null || undefined}>
      <label htmlFor={id}>{t("find")}</label>
      <input
        ref={useFollowing(state.find)}
        id={id}
        type="search"
        autoComplete="off"
        spellCheck={false}
        placeholder={t("find-placeholder")}
        defaultValue={state.find}
        aria-invalid={wrong !== null}
        aria-describedby={`${id}-says`}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onChange={(event) => state.set({ find: event.currentTarget.value })}
        data-testid="find"
      />
      {found !== null && <span data-testid="find-count">{t("find-found", { count: found })}</span>}
      {focused && (
        <div className={styles.findSays} id={`${id}-says`} role={wrong ? "alert" : undefined}>
          {wrong ? <FindProblem error={wrong} /> : help("help")}
        </div>
      )}
    </div>
  );
}

function FindProblem({ error }: { error: FindError }) {
  const t = useTranslations("find");
  if (error.key === "unknown-word") return t(error.key, { word: error.word, at: error.at });
  if (error.key === "want-number")
    return t(error.key, { field: error.field, operator: error.operator, example: error.example });
  return t(error.key);
}
