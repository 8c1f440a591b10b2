import type { BrokenCaller, StrictPreview, StrictWorkload, WorkloadView } from "../contract/index.ts";
import type { Mesh } from "../model/mesh.ts";
import { offersMutualTls } from "../model/mutual-tls-endpoints.ts";
import { type DecidedMode, decidedMode } from "../model/peer-authentications.ts";
import type { RollupSum } from "../query/reader.ts";
import { outboundClusters } from "../translate/clusters.ts";
import { defaultTranslateOptions } from "../translate/options.ts";
import { scopeOf } from "../translate/scope.ts";
import { callerOf } from "./mutual-tls.ts";
import { type RecordedCall, sampleOf } from "./recorded-call.ts";
import { type AdvisedWorkload, proxyIdentityOf } from "./workload-proxy.ts";

export interface StrictInput {
  before: Mesh;
  /** With the policy that is asked about. */
  after: Mesh;
  workloads: readonly WorkloadView[];
  /** The same with their proxies, and gateways. */
  advised: readonly AdvisedWorkload[];
  /** Of every call, as its destination told it. */
  sums: readonly RollupSum[];
  /** Of lines that are kept of these calls. */
  calls: readonly RecordedCall[];
}

interface PortChange {
  port: number;
  before: DecidedMode;
  after: DecidedMode;
}

/** Ports that become STRICT, and the calls of the past that could not come to them any more. */
export function previewStrict(input: StrictInput): Pick<StrictPreview, "workloads" | "kept"> {
  const { before, after, workloads } = input;
  const all = workloads.map((workload) => {
    const at = (mesh: Mesh, port: number) =>
      decidedMode(mesh.peerAuthentications, mesh.options.rootNamespace, workload, port);
    return {
      workload,
      ports: workload.mtls.map(({ port }): PortChange => ({ port, before: at(before, port), after: at(after, port) })),
    };
  });
  const changed = all.flatMap(({ workload, ports }) => {
    const strict = ports.filter((it) => it.before.mode !== "STRICT" && it.after.mode === "STRICT");
    return strict.length > 0 ? [changeOf(input, workload, ports, strict)] : [];
  });
  return {
    workloads: changed.sort((a, b) => sum(b.broken) - sum(a.broken) || b.calls - a.calls),
    kept: all.flatMap(({ workload: { namespace, name }, ports }) => {
      const own = ports.filter(({ after: { mode } }) => mode !== "STRICT");
      if (own.length === 0) return [];
      return [{ namespace, name, ports: own.map(({ port, after: { mode, by } }) => ({ port, mode, by: by ?? null })) }];
    }),
  };
}

const sum = (all: readonly { calls: number }[]): number => all.reduce((total, { calls }) => total + calls, 0);

function changeOf(
  { after, advised, sums, calls }: StrictInput,
  workload: WorkloadView,
  ports: readonly PortChange[],
  strict: readonly PortChange[],
): StrictWorkload {
  const { namespace, name } = workload;
  const own = advised.find((it) => it.namespace === namespace && it.name === name && !it.isGateway);
  const proxy = proxyIdentityOf(own);
  const isHere = (it: { namespace: string; workload: string }) => it.namespace === namespace && it.workload === name;
  const numbers = new Set(strict.map(({ port }) => port));
  const lines = calls.filter(
    ({ destination, port }) => isHere(destination) && (port === undefined || numbers.has(port)),
  );
  // Counts don't tell ports apart: where only some of them change, what is known is what is kept.
  const counted =
    strict.length === ports.length
      ? sums
          .filter(({ edge }) => isHere(edge.destination))
          .map(({ edge, count }) => ({ caller: callerOf(edge.source), mtls: edge.mtls, count }))
      : lines.map(({ caller, mtls }) => ({ caller, mtls, count: 1 }));
  const lost = proxy === "none" ? [] : counted.filter(({ mtls }) => proxy === "uncertified" || !mtls);
  const broken = [...Map.groupBy(lost, ({ caller }) => caller)].flatMap(([caller, its]): BrokenCaller[] => {
    const why = proxy === "uncertified" ? "barred" : whyPlain(after, workload, advised, caller);
    if (why === undefined) return [];
    const newest = lines.find((line) => line.caller === caller && (proxy === "uncertified" || !line.mtls));
    return [
      {
        caller,
        calls: its.reduce((total, { count }) => total + count, 0),
        why,
        sample: newest ? sampleOf(newest) : null,
      },
    ];
  });
  return {
    namespace,
    name,
    proxy,
    ports: [...numbers],
    calls: counted.reduce((total, { count }) => total + count, 0),
    broken: broken.sort((a, b) => b.calls - a.calls),
  };
}

/** Undefined: it would come by mutual TLS from then on. */
function whyPlain(
  mesh: Mesh,
  called: WorkloadView,
  advised: readonly AdvisedWorkload[],
  caller: string,
): BrokenCaller["why"] | undefined {
  if (caller === "") return "caller-unknown";
  const own = advised.find(({ namespace, name }) => `${namespace}/${name}` === caller);
  if (!own?.hasProxy) return "no-proxy";
  if (proxyIdentityOf(own) === "uncertified") return "no-certificate";
  return comesByMutualTls(mesh, called, own) ? undefined : "rule";
}

/** Whether all that the caller's proxy has for the called services is mutual TLS, to this workload at least. */
function comesByMutualTls(mesh: Mesh, called: WorkloadView, { proxy }: AdvisedWorkload): boolean {
  const { clusters } = outboundClusters(mesh, scopeOf(mesh, proxy), defaultTranslateOptions);
  const own = [...clusters.values()].filter(({ name }) =>
    called.services.some(({ hostname }) => name.endsWith(`|${hostname}`)),
  );
  const isOffered = offersMutualTls(called.labels, called);
  const isMutual = ({ transportSocket, transportSocketMatches }: (typeof own)[number]) =>
    transportSocket !== undefined || (isOffered && transportSocketMatches.length > 0);
  return own.length > 0 && own.every(isMutual);
}
