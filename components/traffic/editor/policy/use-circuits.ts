"use client";
import { createContext, useContext } from "react";
import { Circuits } from "../../../../server/contract/index.ts";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { valueAt } from "../../../config/document/yaml-edit.ts";
import { getJson } from "../../../lib/api.ts";
import { useLive } from "../../../lib/live.ts";
import { useForm } from "../form-context.ts";

/** The service whose callers' gauges stand beside the settings; null: of none. */
export const CircuitsContext = createContext<{ namespace: string; name: string } | null>(null);

/** Today's real values of what a policy at a path is for: the whole host, or the subset that it stands in. */
export function useCircuits(
  path: Path,
): { circuits: Circuits["circuits"]; unknown: number; subset: string | null } | null {
  const service = useContext(CircuitsContext);
  const { object } = useForm();
  const live = useLive({
    queryKey: ["circuits", service],
    read: (signal) =>
      getJson(
        Circuits,
        `/api/services/${encodeURIComponent(service?.namespace ?? "")}/${encodeURIComponent(service?.name ?? "")}/circuits`,
        signal,
      ),
    everyMs: 2000,
    enabled: service !== null,
  });
  if (!live.data) return null;
  const isSubset = path[1] === "subsets";
  const name = isSubset ? valueAt(object, [...path.slice(0, 3), "name"]) : null;
  const subset = typeof name === "string" ? name : null;
  const circuits = live.data.circuits.filter((one) => !isSubset || one.subset === subset);
  return { circuits, unknown: live.data.unknown, subset };
}
