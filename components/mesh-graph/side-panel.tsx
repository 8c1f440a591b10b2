"use client";
import { useTranslations } from "use-intl";
import type { Graph } from "../../server/contract/index.ts";
import { SideSection, SideSheet } from "../ui/side-sheet.tsx";
import { EdgePanel } from "./edge-panel.tsx";
import { PanelHeader } from "./panel-header.tsx";
import { subjectOf } from "./subject.ts";
import { SubjectPanel } from "./subject-panel.tsx";
import type { TopologyState } from "./use-topology-state.ts";

export interface SidePanelProps {
  graph: Graph;
  /** Before any view was made of it. */
  whole: Graph;
  state: TopologyState;
  select: string;
}

/** What is selected, beside the graph: a service, one of its versions, or a call. */
export function SidePanel({ graph, whole, state, select }: SidePanelProps) {
  const t = useTranslations("panel");
  const close = () => state.set({ select: null });
  const edge = graph.edges.find(({ id }) => id === select);
  const subject = subjectOf(graph, select);
  return (
    <SideSheet label={edge ? edge.id : (subject?.name ?? select)} onClose={close}>
      {edge ? (
        <EdgePanel graph={graph} edge={edge} state={state} />
      ) : subject ? (
        <SubjectPanel graph={graph} whole={whole} subject={subject} state={state} />
      ) : (
        <>
          <PanelHeader health="idle" title={t("gone")} onClose={close} />
          <SideSection>
            <p className="muted">{t("gone-text", { id: select })}</p>
          </SideSection>
        </>
      )}
    </SideSheet>
  );
}
