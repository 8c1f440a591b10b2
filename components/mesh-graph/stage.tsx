"use client";
import dynamic from "next/dynamic";
import { startTransition, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Graph } from "../../server/contract/index.ts";
import { useErrorText } from "../lib/error-text.ts";
import { servicesHref } from "../lib/links.ts";
import { isOverdue, type Live } from "../lib/live.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import { Unreadable } from "../list/live-content.tsx";
import { NoServices } from "../services/no-services.tsx";
import { formatDateTime, formatMoment, formatSpan } from "../ui/format.ts";
import { Link } from "../ui/link.tsx";
import { PillButton } from "../ui/pill.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import { AccessibleGraph } from "./accessible-graph.tsx";
import { useEarlier } from "./earlier.ts";
import { parseFind } from "./find.ts";
import { FocusBar } from "./focus-bar.tsx";
import { findIn } from "./found.ts";
import { useGraphText } from "./graph-text.ts";
import { GraphTip } from "./graph-tip.tsx";
import { GraphTools } from "./graph-tools.tsx";
import type { Pointed } from "./graph-view.ts";
import { isSmall, prepareLayout } from "./layout-elsewhere.ts";
import { ListView } from "./list-view.tsx";
import type { MeshCanvasHandle } from "./mesh-canvas.tsx";
import { narrowed } from "./narrow.ts";
import { visibleGraph } from "./scene.ts";
import { Toolbar } from "./toolbar.tsx";
import styles from "./topology.module.css";
import { ListViewSkeleton } from "./topology-skeleton.tsx";
import { TraceBar } from "./trace-bar.tsx";
import { useBelow } from "./use-below.ts";
import type { TopologyState } from "./use-topology-state.ts";
import { useTraceOnGraph } from "./use-trace-on-graph.ts";

// The picture is most of what this page loads; the list, the toolbar and what readers are told don't wait for it.
const loadCanvas = () => import("./mesh-canvas.tsx").then((module) => module.MeshCanvas);
const MeshCanvas = dynamic(loadCanvas, { ssr: false });
// It is fetched while the page wakes up; that it did not come is said by who draws it.
if (typeof window !== "undefined") loadCanvas().catch(() => {});

/** The graph or its list, with what is to be said about where the numbers come from. */
export function Stage({ live, state }: { live: Live<Graph>; state: TopologyState }) {
  const t = useTranslations("error");
  const textOf = useErrorText();
  const plane = useMeshStatus().data?.controlPlane;
  const { data, error } = live;
  if (!data) {
    return (
      <div className={styles.stage} aria-busy={error === null}>
        {error ? <Unreadable title={t("graph")} live={live} /> : state.list && <ListViewSkeleton />}
      </div>
    );
  }
  const problem = error && isOverdue(live) ? `${t("graph")}: ${textOf(error)}` : null;
  const oldSince = state.at === null && plane?.reachable === false ? (plane.since ?? data.at) : null;
  const isOld = problem !== null || data.silentSince !== null;
  return (
    <div className={styles.stage} data-old={isOld || undefined} data-stale={isOld}>
      <Loaded
        graph={data}
        state={state}
        moving={error === null && state.at === null && data.silentSince === null}
        oldConfig={oldSince !== null}
      />
      <About graph={data} problem={problem} oldSince={oldSince} live={state.at === null} />
    </div>
  );
}

interface AboutProps {
  graph: Graph;
  problem: string | null;
  /** Since when nobody tells what config does. */
  oldSince: number | null;
  live: boolean;
}

/** One line on what is wrong with the numbers, or why there are none. */
function About({ graph, problem, oldSince, live }: AboutProps) {
  const t = useTranslations("topology");
  const locale = useLocale();
  const isQuiet = graph.nodes.length > 0 && graph.edges.every(isQuietCall);
  const said =
    problem ??
    (graph.silentSince !== null
      ? t("silent", { time: formatMoment(graph.silentSince, locale) })
      : oldSince !== null
        ? t("old-config", { time: formatMoment(oldSince, locale) })
        : isUnrecorded(graph)
          ? t("unrecorded-then")
          : isQuiet && live
            ? t("quiet")
            : null);
  if (said === null) return null;
  const isBad = problem !== null || graph.silentSince !== null || oldSince !== null;
  return (
    <div className={styles.problem} data-tone={isBad ? "warn" : undefined}>
      {isBad ? <Notice tone="warn">{said}</Notice> : <p role="status">{said}</p>}
    </div>
  );
}

/** That nothing was recorded is another thing than that nothing was called. */
const isUnrecorded = ({ at, windowSec, timeline: { recordedFromMs, gaps = [] } }: Graph): boolean =>
  at <= recordedFromMs || gaps.some(({ fromMs, toMs }) => fromMs <= at - windowSec * 1000 && toMs >= at);

const isQuietCall = ({ signals, bytesPerSecond }: Graph["edges"][number]): boolean =>
  signals.requestRate === 0 && (bytesPerSecond === undefined || bytesPerSecond.sent + bytesPerSecond.received === 0);

interface LoadedProps {
  graph: Graph;
  state: TopologyState;
  moving: boolean;
  oldConfig: boolean;
}

/** `moving`: requests fly, because what is shown is happening right now. */
function Loaded({ graph, state, moving, oldConfig }: LoadedProps) {
  const t = useTranslations("topology");
  const locale = useLocale();
  const { select, find, hide, hideIdle, namespaces, focus, labels, animate, list, set } = state;
  const canvas = useRef<MeshCanvasHandle>(null);
  const toolbar = useRef<HTMLDivElement>(null);
  useBelow(toolbar);
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [painted, setPainted] = useState(false);
  const hiding = useMemo(() => parseFind(hide), [hide]);
  const visible = useMemo(
    () => narrowed(visibleGraph(graph, hideIdle), { namespaces, hide: hiding.ok ? hiding.matches : null, focus }),
    [graph, hideIdle, namespaces, hiding, focus],
  );
  const parsed = useMemo(() => parseFind(find), [find]);
  const found = useMemo(
    () => (parsed.ok && parsed.matches ? findIn(visible, parsed.matches) : null),
    [parsed, visible],
  );
  const plainText = useGraphText(labels, state.at === null, useEarlier());
  const traced = useTraceOnGraph(state.trace, visible, plainText);
  const lit = traced && traced.lit.size > 0 ? traced.lit : (found?.lit ?? null);
  const emphasis = useMemo(() => ({ selected: select, lit, oldConfig }), [select, lit, oldConfig]);
  const text = traced && traced.lit.size > 0 ? traced.text : plainText;
  const isLarge = !isSmall(visible.nodes);
  useEffect(() => {
    if (isLarge) prepareLayout();
  }, [isLarge]);
  // Hundreds of sentences: they come after the picture, and don't hold up its frames.
  const said = useDeferredValue(visible);
  const onSelect = useCallback((id: string | null) => set({ select: id }), [set]);
  const onFocus = useCallback((id: string | null) => canvas.current?.hover(id), []);
  const caption = () => {
    // A picture is looked at on other days.
    const [window, time] = [formatSpan(graph.windowSec, locale), formatDateTime(graph.at, locale, { seconds: true })];
    return [t("caption", { window, time }), found && find].filter(Boolean).join(" · ");
  };
  return (
    <>
      <h1 className="visually-hidden">{t("title")}</h1>
      {/* Before the nodes: there may be hundreds of them to tab through. */}
      <Toolbar ref={toolbar} state={state} graph={graph} parsed={parsed} hiding={hiding} found={found?.count ?? null} />
      {traced && state.trace !== null && (
        <TraceBar id={state.trace} shown={traced} onClose={() => set({ trace: null, at: null })} />
      )}
      {focus && <FocusBar graph={graph} shown={visible} focus={focus} set={set} />}
      {visible.nodes.length === 0 ? (
        <Nothing
          hidden={graph.nodes.length === 0 ? null : hide || namespaces.length > 0 || focus ? "left-out" : "idle"}
          onShow={() => set({ idle: null, hide: null, ns: null, focus: null, hops: null })}
        />
      ) : list ? (
        <ListView graph={visible} lit={lit} state={state} />
      ) : (
        <>
          <MeshCanvas
            kind={state.kind}
            graph={visible}
            text={text}
            emphasis={emphasis}
            animate={animate && moving}
            onSelect={onSelect}
            onPoint={setPointed}
            onPainted={() => startTransition(() => setPainted(true))}
            handle={canvas}
            toolbar={toolbar}
          />
          {pointed && <GraphTip graph={visible} pointed={pointed} />}
          <GraphTools canvas={canvas} caption={caption} graph={visible} />
          {(painted || !isLarge) && (
            <AccessibleGraph graph={said} selected={select} onSelect={onSelect} onFocus={onFocus} />
          )}
        </>
      )}
    </>
  );
}

/** `hidden`: why what there is is not shown; null: there is nothing. */
function Nothing({ hidden, onShow }: { hidden: "idle" | "left-out" | null; onShow: () => void }) {
  const t = useTranslations("topology");
  const { data: status } = useMeshStatus();
  return (
    <div className={styles.nothing}>
      {status?.services === 0 ? (
        <NoServices />
      ) : hidden ? (
        <EmptyState
          title={t(`empty-${hidden}`)}
          action={<PillButton onClick={onShow}>{t(hidden === "idle" ? "show-idle" : "show-all")}</PillButton>}
        />
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
