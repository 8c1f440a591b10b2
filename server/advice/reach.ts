import type { Reach, WorkloadView } from "../contract/index.ts";
import type { Mesh } from "../model/mesh.ts";
import { decidedMode } from "../model/peer-authentications.ts";
import { isHttpOrAuto } from "../model/protocol.ts";
import { createJudge, type Judge } from "./judge.ts";
import type { RecordedCall } from "./recorded-call.ts";
import type { AdvisedWorkload } from "./workload-proxy.ts";

/** What STRICT and policies let whoever has this certificate, or none, do at any port of a workload. */
export type ReachOf = (identity: string | undefined, called: AdvisedWorkload) => Reach;

export function createReach(mesh: Mesh, views: readonly WorkloadView[]): ReachOf {
  const known = new Map(views.map((it) => [`${it.namespace}/${it.name}`, it]));
  const tcp = tcpPorts(mesh);
  const judges = new Map<AdvisedWorkload, Judge>();
  const found = new Map<string, Reach>();
  const reach: ReachOf = (identity, called) => {
    const { namespace, name, proxy } = called;
    const judge = judges.get(called) ?? createJudge(mesh, proxy, new Set(), { request: true });
    judges.set(called, judge);
    const ports = known.get(`${namespace}/${name}`)?.mtls.map(({ port }) => port) ?? [];
    // Ports of gateways are not the registry's.
    return together((ports.length > 0 ? ports : [undefined]).map((port) => at(identity, called, port, judge)));
  };
  const at = (identity: string | undefined, called: AdvisedWorkload, port: number | undefined, judge: Judge): Reach => {
    if (port !== undefined && identity === undefined && called.hasProxy && isStrict(mesh, called, port)) return "none";
    const isTcp = port !== undefined && tcp.has(`${called.proxy.ip} ${port}`);
    const { kind } = judge(anyCall(identity, called, port, isTcp));
    return kind === "allowed" ? "all" : kind === "refused" ? "none" : "some";
  };
  return (identity, called) => {
    const key = `${identity} ${called.namespace}/${called.name}`;
    const answer = found.get(key) ?? reach(identity, called);
    found.set(key, answer);
    return answer;
  };
}

/** Of several, what is so of each. */
export const together = (all: readonly Reach[]): Reach => {
  const [first = "none"] = all;
  return all.every((it) => it === first) ? first : "some";
};

const isStrict = (mesh: Mesh, { namespace, labels }: AdvisedWorkload, port: number): boolean =>
  decidedMode(mesh.peerAuthentications, mesh.options.rootNamespace, { namespace, labels }, port).mode === "STRICT";

/** What is asked there by anyone: all that the judge is to leave open is empty. */
const anyCall = (
  identity: string | undefined,
  { namespace, name, proxy }: AdvisedWorkload,
  port: number | undefined,
  isTcp: boolean,
): RecordedCall => ({
  atMs: 0,
  caller: "",
  mtls: identity !== undefined,
  identity,
  destination: { namespace, workload: name, address: proxy.ip },
  port,
  protocol: isTcp ? "tcp" : "http",
  ...{ method: "", path: "", authority: "", code: 0, refused: false, details: "", requestId: "", traceId: "" },
});

/** `<address> <port>` of endpoints that don't speak HTTP. */
function tcpPorts(mesh: Mesh): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { key, ports } of mesh.services.values()) {
    for (const { port, protocol } of ports) {
      if (isHttpOrAuto(protocol)) continue;
      for (const it of mesh.endpoints.get(key)?.byPort.get(port) ?? []) found.add(`${it.address} ${it.port}`);
    }
  }
  return found;
}
