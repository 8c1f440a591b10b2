"use client";
import { Menu } from "@mantine/core";
import { IconCheck, IconChevronDown } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { Graph } from "../../server/contract/index.ts";
import { PillButton } from "../ui/pill.tsx";
import { viewKinds } from "./graph-view-kinds.ts";
import { namespacesOf } from "./narrow.ts";
import type { TopologyState } from "./use-topology-state.ts";

interface ShownProps {
  state: TopologyState;
  graph: Pick<Graph, "nodes">;
}

/** What a node stands for, and of which namespaces there are any. */
export function ShownMenu({ state, graph }: ShownProps) {
  const t = useTranslations("topology");
  const { kind, namespaces } = state;
  const [only] = namespaces;
  return (
    <Menu closeOnItemClick={false} position="bottom-start">
      <Menu.Target>
        <PillButton data-testid="shown">
          {t(`by-${kind}`)}
          {namespaces.length > 0 &&
            `: ${namespaces.length === 1 ? only : t("namespaces", { count: namespaces.length })}`}
          <IconChevronDown size={13} aria-hidden />
        </PillButton>
      </Menu.Target>
      <Menu.Dropdown>
        <ShownItems state={state} graph={graph} />
      </Menu.Dropdown>
    </Menu>
  );
}

export function ShownItems({ state: { kind, namespaces, set }, graph }: ShownProps) {
  const t = useTranslations("topology");
  const known = [...new Set([...namespacesOf(graph), ...namespaces])].toSorted();
  const toggle = (namespace: string) => {
    const next = namespaces.includes(namespace)
      ? namespaces.filter((one) => one !== namespace)
      : [...namespaces, namespace];
    set({ ns: next.join(",") || null });
  };
  return (
    <>
      <Menu.Label>{t("by")}</Menu.Label>
      {viewKinds.map((one) => (
        <Menu.RadioItem
          key={one}
          value={one}
          checked={one === kind}
          checkIcon={check}
          onChange={() => set({ by: one === "versions" ? null : one, select: null, focus: null, hops: null })}
          data-testid={`by-${one}`}
        >
          {t(`by-${one}`)}
        </Menu.RadioItem>
      ))}
      <Menu.Label>{t("namespace")}</Menu.Label>
      {known.map((namespace) => (
        <Menu.CheckboxItem
          key={namespace}
          checked={namespaces.includes(namespace)}
          checkIcon={check}
          onChange={() => toggle(namespace)}
          data-testid={`ns-${namespace}`}
        >
          {namespace}
        </Menu.CheckboxItem>
      ))}
    </>
  );
}

/** Of what is chosen in a menu. */
export const check = <IconCheck size={14} aria-hidden />;
