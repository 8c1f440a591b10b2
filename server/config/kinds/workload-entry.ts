import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { labels, port, uint32 } from "./fields.ts";
import { fqdnError, isDnsLabel, isIpAddress } from "./names.ts";
import { rule, text } from "./schema.ts";

export const portNameError = (name: string): Told | undefined =>
  isDnsLabel(name) ? undefined : told("port-name", { name: JSON.stringify(name) });

/** Beside the address: what a WorkloadGroup has for each of its workloads, too. */
export const workloadEntryFields = () => ({
  ports: z.record(text(portNameError), port()).optional().describe("Port of this workload by the service port's name."),
  labels: labels().optional(),
  network: z.string().max(2_048).optional(),
  locality: z.string().max(2_048).optional().describe("region/zone/sub-zone"),
  weight: uint32().optional().describe("1 when unset."),
  serviceAccount: z.string().max(253).optional(),
});

/** https://istio.io/latest/docs/reference/config/networking/workload-entry/ */
export const workloadEntrySpecSchema = rule(
  z.strictObject({
    address: text((value) => {
      if (value === "") return undefined;
      if (value.startsWith("unix://")) return told("unix-socket", {});
      if (isIpAddress(value)) return undefined;
      return fqdnError(value) === undefined ? undefined : told("ip-or-domain", { value: JSON.stringify(value) });
    }).optional(),
    ...workloadEntryFields(),
  }),
  (entry, report) => {
    // With a network it is reached through that network's gateway, in Istio; here nobody reaches it, and a warning says so.
    if (!entry.address && !entry.network) report(["address"], told("field-required", {}));
  },
);
export type WorkloadEntrySpec = z.output<typeof workloadEntrySpecSchema>;

export const workloadEntry = defineKind({
  kind: "WorkloadEntry",
  group: "networking.istio.io",
  version: "v1",
  aliases: ["v1beta1", "v1alpha3"],
  plural: "workloadentries",
  singular: "workloadentry",
  shortNames: ["we"],
  categories: ["istio-io", "networking-istio-io"],
  spec: workloadEntrySpecSchema,
  columns: [
    {
      name: "Address",
      type: "string",
      description: "Where the workload is reached",
      priority: 0,
      value: (object) => (object.spec as WorkloadEntrySpec).address ?? "",
    },
    {
      name: "App",
      type: "string",
      description: "Its app label",
      priority: 1,
      value: (object) => (object.spec as WorkloadEntrySpec).labels?.app ?? "",
    },
    {
      name: "Version",
      type: "string",
      description: "Its version label",
      priority: 1,
      value: (object) => (object.spec as WorkloadEntrySpec).labels?.version ?? "",
    },
  ],
});
