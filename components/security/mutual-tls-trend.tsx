"use client";
import { NativeSelect } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { Change, MutualTlsTrend } from "../../server/contract/index.ts";
import { useChangeMarks } from "../config/change-marks.ts";
import type { Settled } from "../lib/api.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { firstStep } from "../service/covered.ts";
import { LoadedChart } from "../ui/loaded-chart.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { UnrecordedNote } from "../ui/unrecorded.tsx";
import styles from "./security.module.css";
import { wholeMeshTarget } from "./security-address.ts";
import { useMutualTlsTrend } from "./security-queries.ts";
import { targetChoices } from "./target-choices.ts";

const height = 150;

const colors = { share: "var(--accent)", mutual: "var(--ok)", plain: "var(--warn)" };

/** What decides how a call comes. Without a namespace of its own a change of either may be meant for all. */
const decides = ({ objects }: Change): boolean =>
  objects.some(({ kind }) => kind === "PeerAuthentication" || kind === "DestinationRule" || kind === "MeshConfig");

export interface MutualTlsTrendPanelProps {
  range: TimeRange;
  /** Namespaces and workloads that there are. */
  names: readonly string[];
  initial: Settled<MutualTlsTrend> | undefined;
}

/** How much came by mutual TLS, step by step, of the mesh, a namespace or a workload. */
export function MutualTlsTrendPanel({ range, names, initial }: MutualTlsTrendPanelProps) {
  const t = useTranslations("security");
  const url = useUrlState();
  const target = url.get("of") ?? wholeMeshTarget;
  const live = useMutualTlsTrend(target, range, initial);
  return (
    <Panel
      title={t("trend")}
      hint={t("trend-hint")}
      data-testid="mutual-tls-trend"
      actions={
        <NativeSelect
          size="xs"
          aria-label={t("trend-of")}
          value={target}
          onChange={({ currentTarget: { value } }) => url.set({ of: value === wholeMeshTarget ? null : value })}
          data={[{ value: wholeMeshTarget, label: t("whole-mesh") }, ...targetChoices(names, target)]}
          data-testid="trend-target"
        />
      }
    >
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={height} />}>
        {(trend) =>
          trend.share.some((value) => value !== null) ? (
            <Charts trend={trend} />
          ) : (
            <EmptyState title={t("no-calls")}>{t("trend-none")}</EmptyState>
          )
        }
      </LiveContent>
    </Panel>
  );
}

function Charts({ trend }: { trend: MutualTlsTrend }) {
  const t = useTranslations("security");
  // What was before the first record is no quiet time: the charts begin with it.
  const first = firstStep({ ...trend, at: trend.toMs });
  const fromMs = trend.fromMs + first * trend.stepSec * 1000;
  const marks = useChangeMarks({ sinceMs: fromMs, matches: decides });
  const chart = { fromMs, stepSec: trend.stepSec, height, marks, gaps: trend.gaps ?? [], sync: "mutual-tls" };
  const series = (name: keyof typeof colors, label: string) => ({
    label,
    color: colors[name],
    values: trend[name].slice(first),
    fill: true,
  });
  return (
    <>
      <UnrecordedNote fromMs={fromMs} toMs={trend.toMs} gaps={trend.gaps} />
      <div className={styles.charts}>
        <figure>
          <figcaption>{t("trend-share")}</figcaption>
          <LoadedChart {...chart} label={t("trend-share")} kind="share" series={[series("share", t("cell-mutual"))]} />
        </figure>
        <figure>
          <figcaption>
            {t("trend-calls")}
            {(["mutual", "plain"] as const).map((name) => (
              <span key={name} className={styles.entry}>
                <i style={{ background: colors[name] }} aria-hidden /> {t(`col-${name}`)}
              </span>
            ))}
          </figcaption>
          <LoadedChart
            {...chart}
            label={t("trend-calls")}
            kind="rps"
            series={[series("mutual", t("col-mutual")), series("plain", t("col-plain"))]}
          />
        </figure>
      </div>
    </>
  );
}
