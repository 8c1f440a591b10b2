"use client";
import Link from "next/link";
import { use, useCallback, useMemo, useRef } from "react";
import { useTranslations } from "use-intl";
import type { ChangeList, Graph } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { servicesHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { useGraph } from "../lib/queries.ts";
import { PillButton } from "../ui/pill.tsx";
import { EmptyState, ErrorState, Notice } from "../ui/states.tsx";
import { AccessibleGraph } from "./accessible-graph.tsx";
import { parseFind } from "./find.ts";
import { findIn } from "./found.ts";
import { useGraphText } from "./graph-text.ts";
import { GraphTools } from "./graph-tools.tsx";
import { ListView } from "./list-view.tsx";
import { MeshCanvas, type MeshCanvasHandle } from "./mesh-canvas.tsx";
import { visibleGraph } from "./scene.ts";
import { SidePanel } from "./side-panel.tsx";
import { TimeStrip } from "./time-strip.tsx";
import { Toolbar } from "./toolbar.tsx";
import styles from "./topology.module.css";
import { type TopologyState, useTopologyState } from "./use-topology-state.ts";

export interface TopologyPageProps {
  graph: Promise<Settled<Graph>>;
  changes: Promise<Settled<ChangeList>>;
  /** What the server read `graph` for. */
  initialWindowSec: number;
  initialAt: number | null;
}

/** The living graph with its toolbar, side panel and strip of time. */
export function TopologyPage({ graph, changes, initialWindowSec, initialAt }: TopologyPageProps) {
  const first = use(graph);
  const firstChanges = use(changes);
  const state = useTopologyState();
  const isFirst = state.windowSec === initialWindowSec && state.at === initialAt;
  const shown = useGraph({ windowSec: state.windowSec, at: state.at }, isFirst ? first : undefined);
  // The strip goes on living while a moment of the past is looked at.
  const live = useGraph({ windowSec: state.windowSec, at: null }, state.at === null && isFirst ? first : undefined);
  return (
    <div className={styles.page}>
      <div className={styles.middle}>
        <Stage live={shown} state={state} />
        {shown.data && state.select !== null && <SidePanel graph={shown.data} state={state} select={state.select} />}
      </div>
      <TimeStrip graph={live.data} fresh={live.error === null} changes={firstChanges} state={state} />
    </div>
  );
}

/** A single read that fails is not worth a word: the next one comes in two seconds. */
const patienceMs = 5000;

function Stage({ live, state }: { live: Live<Graph>; state: TopologyState }) {
  const t = useTranslations("error");
  const { data, error, failingSince, refresh } = live;
  if (!data && error) {
    const works =
      error.code === "CONTROL_PLANE_UNREACHABLE" || error.code === "TELEMETRY_UNREACHABLE"
        ? t(`works-${error.code}`)
        : t("works-other");
    return (
      <div className={styles.stage}>
        <ErrorState title={t("graph")} detail={error.message} since={failingSince} works={works} onRetry={refresh} />
      </div>
    );
  }
  if (!data) return <div className={styles.stage} aria-busy />;
  return (
    <div className={styles.stage} data-failing={error !== null || undefined}>
      <Loaded graph={data} state={state} moving={error === null && state.at === null} />
      {error && Date.now() - live.readAt > patienceMs && (
        <div className={styles.problem}>
          <Notice tone="warn">
            {t("graph")}: {error.message}
          </Notice>
        </div>
      )}
    </div>
  );
}

/** `moving`: requests fly, because what is shown is happening right now. */
function Loaded({ graph, state, moving }: { graph: Graph; state: TopologyState; moving: boolean }) {
  const t = useTranslations("topology");
  const { select, find, hideIdle, labels, animate, list, set } = state;
  const canvas = useRef<MeshCanvasHandle>(null);
  const visible = useMemo(() => visibleGraph(graph, hideIdle), [graph, hideIdle]);
  const parsed = useMemo(() => parseFind(find), [find]);
  const found = useMemo(
    () => (parsed.ok && parsed.matches ? findIn(visible, parsed.matches) : null),
    [parsed, visible],
  );
  const emphasis = useMemo(() => ({ selected: select, lit: found?.lit ?? null }), [select, found]);
  const text = useGraphText(labels);
  const onSelect = useCallback((id: string | null) => set({ select: id }), [set]);
  return (
    <>
      <h1 className="visually-hidden">{t("title")}</h1>
      {list ? (
        <ListView graph={visible} lit={found?.lit ?? null} state={state} />
      ) : visible.nodes.length === 0 ? (
        <Nothing hidden={graph.nodes.length > 0} onShow={() => set({ idle: null })} />
      ) : (
        <>
          <MeshCanvas
            graph={visible}
            text={text}
            emphasis={emphasis}
            animate={animate && moving}
            onSelect={onSelect}
            onPoint={() => {}}
            handle={canvas}
          />
          <AccessibleGraph
            graph={visible}
            selected={select}
            onSelect={onSelect}
            onFocus={(id) => canvas.current?.hover(id)}
          />
          <GraphTools canvas={canvas} />
        </>
      )}
      <Toolbar state={state} parsed={parsed} found={found?.count ?? null} />
    </>
  );
}

function Nothing({ hidden, onShow }: { hidden: boolean; onShow: () => void }) {
  const t = useTranslations("topology");
  return (
    <div className={styles.nothing}>
      {hidden ? (
        <EmptyState title={t("empty-hidden")} action={<PillButton onClick={onShow}>{t("show-idle")}</PillButton>} />
      ) : (
        <EmptyState
          title={t("empty")}
          action={
            <Link className="link" href={servicesHref}>
              {t("empty-action")}
            </Link>
          }
        >
          {t("empty-text")}
        </EmptyState>
      )}
    </div>
  );
}
