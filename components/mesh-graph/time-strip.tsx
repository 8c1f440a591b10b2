"use client";
import { useTranslations } from "use-intl";
import type { Change, Graph } from "../../server/contract/index.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { PillButton } from "../ui/pill.tsx";
import { Moment } from "../ui/quantity.tsx";
import { ReplayControls } from "./replay-controls.tsx";
import { ChangesInWords } from "./strip-mark.tsx";
import { spanOf, Track } from "./strip-track.tsx";
import styles from "./time-strip.module.css";
import type { TopologyState } from "./use-topology-state.ts";

export interface TimeStripProps {
  graph: Graph | undefined;
  /** The graph is being refreshed. */
  fresh: boolean;
  changes: readonly Change[];
  state: TopologyState;
}

/** Time below the graph: the traffic, every config change and fault as a mark on it. Dragging it replays a moment. */
export function TimeStrip({ graph, fresh, changes, state }: TimeStripProps) {
  const t = useTranslations("strip");
  const live = state.at === null;
  const toLive = () => state.set({ at: null, from: null, to: null });
  const span = graph ? spanOf(graph) : null;
  const seen = span ? changes.filter(({ at }) => at >= span.from && at <= span.to) : [];
  return (
    <footer className={styles.strip}>
      <PillButton pressed={!live} onClick={toLive} data-testid="strip-live" disabled={live} className={styles.live}>
        <HealthMark health={live && fresh ? "healthy" : "idle"} silent />
        {live ? t("live") : t("to-live")}
      </PillButton>
      {span && <ReplayControls span={span} state={state} />}
      <ChangesInWords changes={seen} />
      {graph && span ? (
        <Track graph={graph} span={span} changes={seen} state={state} />
      ) : (
        <div className={styles.track} />
      )}
      {state.at !== null && (
        <PillButton
          pressed={state.configThen}
          onClick={() => state.set({ config: state.configThen ? null : "then", select: null })}
          className={styles.then}
          data-testid="config-then-toggle"
        >
          {t("config")}
        </PillButton>
      )}
      <span className={`${styles.span} mono`}>
        {span && (
          <>
            <Moment ms={span.from} seconds={span.to - span.from < 600_000} /> –{" "}
            <Moment ms={span.to} seconds={span.to - span.from < 600_000} />
          </>
        )}
      </span>
    </footer>
  );
}
