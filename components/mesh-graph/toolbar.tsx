"use client";
import { Menu } from "@mantine/core";
import { IconAdjustments, IconChevronDown, IconList, IconTopologyStar3 } from "@tabler/icons-react";
import type { Ref } from "react";
import { useTranslations } from "use-intl";
import type { Graph } from "../../server/contract/index.ts";
import { PillButton } from "../ui/pill.tsx";
import { rangeParams } from "../ui/time-range.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { ExpressionBox } from "./expression-box.tsx";
import type { FindResult } from "./find.ts";
import { SavedViewsMenu } from "./saved-views-menu.tsx";
import { Check, ShownItems, ShownMenu } from "./shown-menu.tsx";
import styles from "./topology.module.css";
import { type LabelKind, labelKinds, type TopologyState } from "./use-topology-state.ts";

export interface ToolbarProps {
  ref: Ref<HTMLDivElement>;
  state: TopologyState;
  /** Before anything is left out of it. */
  graph: Pick<Graph, "nodes">;
  parsed: FindResult;
  hiding: FindResult;
  /** How many were found; null without an expression. */
  found: number | null;
}

export function Toolbar({ ref, state, graph, parsed, hiding, found }: ToolbarProps) {
  const t = useTranslations("topology");
  const { windowSec, range, hideIdle, animate, list, set } = state;
  const Other = list ? IconTopologyStar3 : IconList;
  const toggleIdle = () => set({ idle: hideIdle ? null : "hide" });
  const toggleAnimate = () => set({ animate: animate ? "off" : "on" });
  return (
    <div ref={ref} className={styles.toolbar} role="toolbar" aria-label={t("options")}>
      <TimeRangePicker
        value={range ?? { windowSec, at: null }}
        onChange={(next) => set({ ...rangeParams(next), at: null })}
        compare={{ value: state.comparison, onChange: (compare) => set({ compare }) }}
      />
      <ExpressionBox param="find" state={state} graph={graph} parsed={parsed} found={found} />
      <div className={styles.wide}>
        <ExpressionBox param="hide" state={state} graph={graph} parsed={hiding} found={null} />
        <ShownMenu state={state} graph={graph} />
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
      <SavedViewsMenu kind={state.kind} />
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
          <ShownItems state={state} graph={graph} />
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
