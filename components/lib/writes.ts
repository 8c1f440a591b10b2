"use client";
import type { z } from "zod";
import {
  type CanaryAction,
  type CanaryRequest,
  ChangeResult,
  type DesignRequest,
  type FaultRequest,
  type ImportRequest,
  type LogLevel,
  MeshComparison,
  type MeshComparisonRequest,
  type PartialThresholds,
  ProxyAdmin,
  ProxyList,
  type RestoreRequest,
  RetentionList,
  type RevocationRequest,
  RevokedIdentities,
  type WeightsChange,
} from "../../server/contract/index.ts";
import { sendJson } from "./api.ts";

/** Every write of the dashboard. `dryRun` checks and shows what would change, `envoy` also for the proxies. All throw `ApiFailure`. */
export interface HowToWrite {
  dryRun: boolean;
  envoy?: boolean;
}
const dry = ({ dryRun, envoy = false }: HowToWrite) => (dryRun ? `?dryRun=true${envoy ? "&envoy=true" : ""}` : "");

export const putWeights = (
  service: { namespace: string; name: string },
  change: WeightsChange,
  how: HowToWrite,
  signal?: AbortSignal,
): Promise<ChangeResult> =>
  sendJson(
    ChangeResult,
    "PUT",
    `/api/services/${encodeURIComponent(service.namespace)}/${encodeURIComponent(service.name)}/routing/weights${dry(how)}`,
    change,
    signal,
  );

export const startFault = (fault: FaultRequest, how: HowToWrite): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", `/api/faults${dry(how)}`, fault);

/** `id` as in contract `Fault.id`. */
export const stopFault = (id: string): Promise<ChangeResult> =>
  sendJson(ChangeResult, "DELETE", `/api/faults/${id.split("/").map(encodeURIComponent).join("/")}`);

export const startCanary = (canary: CanaryRequest, how: HowToWrite): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", `/api/canaries${dry(how)}`, canary);

export const actOnCanary = (
  { namespace, name }: { namespace: string; name: string },
  action: CanaryAction,
): Promise<ChangeResult> =>
  sendJson(
    ChangeResult,
    "POST",
    `/api/canaries/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/${action}`,
    {},
  );

/** What a text has is written and what is named is taken away, as one change. */
export const applyYaml = (
  yaml: string,
  gone: readonly { kind: string; namespace: string; name: string; resourceVersion?: string }[],
  how: HowToWrite,
): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", `/api/apply${dry(how)}`, { yaml, ...(gone.length > 0 && { delete: gone }) });

/** Of a service, else of the mesh. */
export const thresholdsPath = (service: { namespace: string; name: string } | undefined): string =>
  `/api/thresholds${service ? `?${new URLSearchParams({ namespace: service.namespace, name: service.name })}` : ""}`;

export const setThresholds = (
  service: { namespace: string; name: string } | undefined,
  own: PartialThresholds,
  how: HowToWrite,
): Promise<ChangeResult> => {
  const path = thresholdsPath(service);
  return sendJson(ChangeResult, "PUT", path + (service ? dry(how).replace("?", "&") : dry(how)), own);
};

/** For a proxy that is gone for good. */
export const forgetProxy = (id: string): Promise<ProxyList> =>
  sendJson(ProxyList, "DELETE", `/api/proxies/${encodeURIComponent(id)}`);

/** `over`: the newest later change of the same objects that was shown to the user; without it the undo is refused where there are such. */
export const undoRevision = (
  revision: number,
  { over, ...how }: HowToWrite & { over?: number | undefined },
): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", `/api/undo${dry(how)}`, { revision, ...(over !== undefined && { over }) });

/** What differs between two meshes; writes nothing. */
export const compareMeshes = (sides: MeshComparisonRequest, signal?: AbortSignal): Promise<MeshComparison> =>
  sendJson(MeshComparison, "POST", "/api/mesh/compare", sides, signal);

export const restoreMesh = (what: RestoreRequest, how: HowToWrite): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", `/api/mesh/restore${dry(how)}`, what);

export const importMesh = (what: ImportRequest, how: HowToWrite): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", `/api/mesh/import${dry(how)}`, what);

export const designPath = (name: string): string => `/api/designs/${encodeURIComponent(name)}`;

export const keepDesign = (name: string, what: z.input<typeof DesignRequest>): Promise<ChangeResult> =>
  sendJson(ChangeResult, "PUT", designPath(name), what);

export const removeDesign = (name: string): Promise<ChangeResult> => sendJson(ChangeResult, "DELETE", designPath(name));

/** Null: as the proxy was started. */
export const setLogLevel = (id: string, level: LogLevel | null): Promise<ProxyAdmin> =>
  sendJson(ProxyAdmin, "PUT", `/api/proxies/${encodeURIComponent(id)}/log-level`, { level });

/** All that is set of retention from now on; what is left out is at its default. */
export const putRetention = (settings: Readonly<Record<string, string>>): Promise<RetentionList> =>
  sendJson(RetentionList, "PUT", "/api/retention", { settings });

/** An identity gets nothing more (`revoke`), or certificates again (`restore`). */
export const revokeIdentity = (what: RevocationRequest, verb: "revoke" | "restore"): Promise<RevokedIdentities> =>
  sendJson(RevokedIdentities, "POST", `/api/security/certificates/${verb}`, what);
