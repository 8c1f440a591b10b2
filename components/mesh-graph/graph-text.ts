"use client";
import { useMemo } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Graph, GraphEdge, GraphNode, Signals } from "../../server/contract/index.ts";
import { delayText } from "../fault/fault-text.tsx";
import { fuseAt } from "../fault/fuse.ts";
import { useServerNow } from "../fault/use-now.ts";
import { useFaults } from "../lib/queries.ts";
import { changeText } from "../metrics/change.tsx";
import type { EarlierSignals } from "../metrics/compared.tsx";
import { changeOf } from "../metrics/earlier-values.ts";
import { formatBytesRate, formatMs, formatRate, formatShare, quantityText } from "../ui/format.ts";
import type { SceneText } from "./scene.ts";
import { titleOf } from "./subject.ts";
import type { LabelKind } from "./use-topology-state.ts";

/** What the graph says below rings and on calls: `13 rps · 17 ms`, or `13 rps · 24 % 503` where it fails. */
export function useGraphText(labels: readonly LabelKind[], live: boolean, earlier: EarlierSignals): SceneText {
  const t = useTranslations("topology");
  const locale = useLocale();
  const burning = useBurning(live);
  return useMemo(
    () => ({
      name: (node: GraphNode) => (isNameless(node) ? t("source") : titleOf(node)),
      sub: (node: GraphNode) => {
        if (isNameless(node)) return "";
        // A workload's own name has its version in it, as a rule.
        const said = node.kind !== "workload" ? t(node.kind) : node.name === undefined ? (versionText(node) ?? "") : "";
        const members = node.group ? t("members", { count: node.group.members.length }) : "";
        return [said, members, burning(node.faults)].filter(Boolean).join(" · ");
      },
      labels: (edge: GraphEdge) => {
        const before = earlier && (earlier.get(edge.id) ?? null);
        return withFault(labelsOf(edge, labels, locale, before), burning(edge.faults));
      },
    }),
    [t, locale, labels, burning, earlier],
  );
}

/** What burns goes before what it does: where there is no room for both, it is what is said. */
export function withFault(labels: readonly string[], fault: string): string[] {
  if (fault === "") return [...labels];
  const [first] = labels;
  return first === undefined ? [fault] : [...new Set([`${fault} · ${first}`, `${fault}\n${first}`, fault])];
}

/** Faults in a few words, each with the minutes that it still has: `50 % 503 · 4 min`. Empty where nothing burns, or not now. */
function useBurning(live: boolean): (ids: readonly string[] | undefined) => string {
  const t = useTranslations("topology");
  const locale = useLocale();
  const list = useFaults();
  const now = useServerNow(list);
  const faults = live ? (list.data?.faults ?? []) : [];
  // By what is written, so that the graph is built anew when a minute is over, and not with every tick.
  const words = faults.map((fault): [string, string] => {
    const left = fuseAt(fault, now)?.leftMs;
    const minutes =
      left === undefined
        ? ""
        : left < 60_000
          ? t("under-a-minute")
          : t("minutes-left", { count: Math.ceil(left / 60_000) });
    const { delay, abort } = fault;
    const said = [
      delay && `${delay.percentage} % +${delayText(delay.fixedDelayMs, locale)}`,
      abort && `${abort.percentage} % ${abort.grpcStatus ?? abort.httpStatus}`,
      minutes,
    ];
    return [fault.id, said.filter(Boolean).join(" · ")];
  });
  const key = JSON.stringify(words);
  return useMemo(() => {
    const known = new Map(JSON.parse(key) as [string, string][]);
    return (ids) => (ids ?? []).flatMap((id) => known.get(id) ?? []).join(", ");
  }, [key]);
}

/** The whole label, the same in two lines, then what is left of it where there is no room: what fails before how much. */
export function labelsOf(
  edge: GraphEdge,
  labels: readonly LabelKind[],
  locale: string,
  /** Null: nothing was called then; undefined: nothing is compared. */
  before?: Signals | null,
): string[] {
  const { signals, codes, bytesPerSecond, recent } = edge;
  // What the line is coloured by is what it says.
  const errorShare = recent?.errorShare ?? signals.errorShare;
  const protocol = labels.includes("protocol") ? (protocolNames[edge.protocol] ?? "") : "";
  if (bytesPerSecond) return bytesLabel(bytesPerSecond, labels, locale, protocol);
  if (signals.requestRate <= 0) return [];
  const failing = labels.includes("errors") && errorShare > 0;
  const change = changeText(changeOf(signals.requestRate, before?.requestRate), locale);
  const rate = labels.includes("rate")
    ? [quantityText(formatRate(signals.requestRate, locale)), before !== undefined && change].filter(Boolean).join(" ")
    : "";
  const latency =
    labels.includes("p95") && signals.latencyMsP95 !== null ? quantityText(formatMs(signals.latencyMsP95, locale)) : "";
  const errors = failing
    ? [quantityText(formatShare(errorShare, locale)), worstCode(codes)].filter(Boolean).join(" ")
    : "";
  const first = [protocol, rate].filter(Boolean).join(" ");
  const whole = [first, errors || latency].filter(Boolean);
  return [...new Set([whole.join(" · "), whole.join("\n"), errors || rate || latency])].filter(Boolean);
}

/** A connection is no request: what goes over it says more than how many there are, and how long they last. */
function bytesLabel(
  { sent, received }: NonNullable<GraphEdge["bytesPerSecond"]>,
  labels: readonly LabelKind[],
  locale: string,
  protocol: string,
): string[] {
  if (!labels.includes("rate") || sent + received === 0) return protocol === "" ? [] : [protocol];
  const rate = quantityText(formatBytesRate(sent + received, locale));
  return [...new Set([[protocol, rate].filter(Boolean).join(" "), rate])];
}

/** What is said of a call that is not like most. */
export const protocolNames: Readonly<Partial<Record<GraphEdge["protocol"], string>>> = { grpc: "gRPC", tcp: "TCP" };

/** How many of the calls are mutual TLS. */
export function mtlsOf({ mtls, reported }: Pick<GraphEdge, "mtls" | "reported">): "untold" | "none" | "some" | "all" {
  if (reported.destination === null) return "untold";
  return mtls === 0 ? "none" : mtls < 1 ? "some" : "all";
}

/** The 5xx answer that is given most. */
function worstCode(codes: GraphEdge["codes"]): string {
  const failed = Object.entries(codes).filter(([code, rate]) => code.startsWith("5") && rate > 0);
  return failed.toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "";
}

/** Istio says `latest` of a workload that names no version. */
const versionText = ({ version }: GraphNode): string | null => (version === "latest" ? null : version);

/** Traffic from somewhere that sends no name of its own. */
const isNameless = ({ kind, app }: GraphNode): boolean => kind === "source" && app === "unknown";

/** Nodes in words: `reviews v2`, `istio-ingressgateway`, `traffic source`. */
export function useNodeNames(graph: Pick<Graph, "nodes">): (id: string) => string {
  const t = useTranslations("topology");
  const names = new Map(
    graph.nodes.map((node) => [
      node.id,
      isNameless(node)
        ? t("source")
        : node.kind === "workload" && node.name === undefined && versionText(node)
          ? `${node.app} ${versionText(node)}`
          : titleOf(node),
    ]),
  );
  return (id) => names.get(id) ?? id;
}
