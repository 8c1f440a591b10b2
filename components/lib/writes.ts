"use client";
import { ChangeResult, type FaultRequest, type WeightsChange } from "../../server/contract/index.ts";
import { sendJson } from "./api.ts";

/** Every write of the dashboard. `dryRun` checks and shows what would change. All throw `ApiFailure`. */
const dry = (dryRun: boolean) => (dryRun ? "?dryRun=true" : "");

export const putWeights = (
  service: { namespace: string; name: string },
  change: WeightsChange,
  dryRun: boolean,
  signal?: AbortSignal,
): Promise<ChangeResult> =>
  sendJson(
    ChangeResult,
    "PUT",
    `/api/services/${encodeURIComponent(service.namespace)}/${encodeURIComponent(service.name)}/routing/weights${dry(dryRun)}`,
    change,
    signal,
  );

export const startFault = (fault: FaultRequest, dryRun: boolean): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", `/api/faults${dry(dryRun)}`, fault);

/** `id` as in contract `Fault.id`. */
export const stopFault = (id: string): Promise<ChangeResult> =>
  sendJson(ChangeResult, "DELETE", `/api/faults/${id.split("/").map(encodeURIComponent).join("/")}`);

export const applyYaml = (yaml: string, dryRun: boolean): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", `/api/apply${dry(dryRun)}`, { yaml });

export const undoRevision = (revision: number): Promise<ChangeResult> =>
  sendJson(ChangeResult, "POST", "/api/undo", { revision });
