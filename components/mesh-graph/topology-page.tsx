"use client";
import { use, useMemo } from "react";
import type { Change, ChangeList, Graph } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useChanges, useGraph } from "../lib/queries.ts";
import { sameRange, type TimeRange } from "../ui/time-range.ts";
import { ConfigThenPanel } from "./config-then.tsx";
import { EarlierProvider, useEarlierGraph } from "./earlier.ts";
import { withGoneProxies } from "./gone-proxies.ts";
import { viewedAs } from "./graph-view-kinds.ts";
import { SidePanel } from "./side-panel.tsx";
import { Stage } from "./stage.tsx";
import { TimeStrip } from "./time-strip.tsx";
import styles from "./topology.module.css";
import { useGoneProxies } from "./use-gone-proxies.ts";
import { useTopologyState } from "./use-topology-state.ts";

export interface TopologyPageProps {
  graph: Promise<Settled<Graph>>;
  changes: Promise<Settled<ChangeList>>;
  /** What the server read `graph` for. */
  initialRange: TimeRange;
}

const noChanges: Change[] = [];

/** The living graph with its toolbar, side panel and strip of time. */
export function TopologyPage({ graph, changes, initialRange }: TopologyPageProps) {
  const first = use(graph);
  const firstChanges = use(changes);
  const state = useTopologyState();
  const isFirst = sameRange({ windowSec: state.windowSec, at: state.at }, initialRange);
  const asked = useGraph({ windowSec: state.windowSec, at: state.at }, isFirst ? first : undefined);
  // The strip goes on living while a moment of the past is looked at; of a fixed stretch it shows just that.
  const strip = state.range ?? { windowSec: state.windowSec, at: null };
  const live = useGraph(strip, strip.at === state.at && isFirst ? first : undefined);
  const sinceMs = live.data?.timeline.fromMs ?? 0;
  const known = useChanges({ sinceMs, limit: 100 }, firstChanges).data?.changes ?? noChanges;
  const { data } = asked;
  const gone = useGoneProxies(state.at);
  const viewed = useMemo(() => data && viewedAs(withGoneProxies(data, gone), state.kind), [data, gone, state.kind]);
  const shown = { ...asked, data: viewed };
  const earlier = useEarlierGraph(state, data?.at ?? 0);
  return (
    <div className={styles.page}>
      <EarlierProvider value={earlier}>
        <div className={styles.middle} data-stale={data?.silentSince != null}>
          <Stage live={shown} state={state} />
          {state.configThen && state.at !== null ? (
            <ConfigThenPanel at={state.at} onClose={() => state.set({ config: null })} />
          ) : (
            data &&
            viewed &&
            state.select !== null && <SidePanel graph={viewed} whole={data} state={state} select={state.select} />
          )}
        </div>
      </EarlierProvider>
      <TimeStrip
        graph={live.data}
        fresh={live.error === null && live.data?.silentSince === null}
        changes={known}
        state={state}
      />
    </div>
  );
}
