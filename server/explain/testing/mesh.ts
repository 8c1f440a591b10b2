import type { Explanation } from "../../contract/index.ts";
import { buildMesh } from "../../model/mesh.ts";
import { objectsOf, proxyOf } from "../../translate/testing/cases.ts";
import { translate } from "../../translate/translate.ts";
import type { HeldResources } from "../../xds/csds-client.ts";
import { resourceKinds } from "../../xds/resource-kinds.ts";
import { type ExplainedProxy, explain, type HeldByProxy } from "../explain.ts";
import { holdingsOf } from "../holdings.ts";
import { parseExplainRequest } from "../request.ts";

/** A sidecar of the namespace `default`. */
export function sidecar(name: string, app: string, address: string, account: string, version = ""): ExplainedProxy {
  const identity = `spiffe://cluster.local/ns/default/sa/${account}`;
  const id = `sidecar~${address}~${name}.default~default.svc.cluster.local`;
  return { id, name, namespace: "default", app, version, kind: "sidecar", implementation: "", address, identity };
}

export interface Asked {
  method?: string;
  headers?: string;
  token?: string;
  nowMs?: number;
  /** As a stock Istio sidecar comes, which says nothing of its interception. */
  intercepted?: boolean;
}

/** What the proxies of a mesh hold, and what they do with requests of the first of them. */
export function explainedMesh(yaml: string, fleet: readonly [ExplainedProxy, ...ExplainedProxy[]]) {
  const objects = objectsOf(yaml);
  const mesh = buildMesh(objects, 1);
  const sentTo = (of: ExplainedProxy, intercepted = false): HeldResources => {
    const labels = { app: of.app, ...(of.version && { version: of.version }) };
    const bound = { INTERCEPTION_MODE: "NONE", UNPRIVILEGED_POD: "true", INGRESS: { "9080": "127.0.0.1:19080" } };
    const metadata = { LABELS: labels, ...(!intercepted && bound) };
    const made = translate(mesh, proxyOf({ id: of.id, identity: of.identity, metadata }));
    const encode = (kind: keyof typeof resourceKinds, messages: ReadonlyMap<string, unknown>) =>
      [...messages].map(([name, message]) => ({
        typeUrl: resourceKinds[kind].typeUrl,
        name,
        value: (resourceKinds[kind].toBinary as (message: unknown, name: string) => Uint8Array)(message, name),
      }));
    const resources = [
      ...encode("listener", made.listeners),
      ...encode("route", made.routes),
      ...encode("virtualHost", made.virtualHosts),
      ...encode("cluster", made.clusters),
      ...encode("endpoint", made.endpoints),
    ];
    return { resources, labels };
  };
  const heldBy = (of: ExplainedProxy, intercepted = false): HeldByProxy => {
    const { resources, labels } = sentTo(of, intercepted);
    return { holdings: holdingsOf(resources), labels };
  };
  const ask = (
    url: string,
    { method = "GET", headers = "", intercepted = false, ...rest }: Asked = {},
  ): Promise<Pick<Explanation, "source" | "destinations">> =>
    explain(
      { proxy: fleet[0], held: heldBy(fleet[0], intercepted) },
      parseExplainRequest({ url, method, headers, identity: "", ...rest }),
      {
        proxies: fleet,
        held: async (id) => {
          const found = fleet.find((one) => one.id === id);
          return found && heldBy(found, intercepted);
        },
        peerAuthentications: objects.filter(({ kind }) => kind === "PeerAuthentication"),
      },
    );
  return { sentTo, heldBy, ask };
}
