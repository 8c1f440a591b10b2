import { withoutZeroValues } from "../config/kinds/zero-values.ts";
import type { ConfigObject } from "../config/object.ts";
import type { Labels } from "./labels.ts";
import type { WorkloadEntrySpec, WorkloadGroupSpec } from "./specs.ts";

/** What the registry knows of a workload whose proxy said which WorkloadGroup it is of. No config: nobody wrote it. */
export interface RegisteredWorkload {
  readonly namespace: string;
  /** The WorkloadGroup, of the same namespace. */
  readonly group: string;
  /** Of the node: whose workload it is. */
  readonly node: string;
  readonly workload: string;
  readonly address: string;
  readonly labels: Labels;
  readonly network: string;
  readonly locality: string;
  readonly serviceAccount: string;
  /** Its proxy, or whoever is beside it, probes it and tells. */
  readonly probed: boolean;
  /** Undefined: nothing was told yet. */
  readonly health: WorkloadHealth | undefined;
  /** Unix milliseconds. */
  readonly registeredAt: number;
  readonly connectedAt: number;
  /** Null: it is connected. */
  readonly disconnectedAt: number | null;
  /** The control plane that it is, or was, connected to. */
  readonly controller: string;
}

export interface WorkloadHealth {
  readonly healthy: boolean;
  /** Of the probe that failed. */
  readonly message: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Istio's, by which `kubectl` and others tell such entries. https://istio.io/latest/docs/reference/config/annotations/ */
export const registrationAnnotations = {
  group: "istio.io/autoRegistrationGroup",
  controller: "istio.io/workloadController",
  connectedAt: "istio.io/connectedAt",
  disconnectedAt: "istio.io/disconnectedAt",
  probed: "proxy.istio.io/health-checks-enabled",
} as const;

const workloadName = "service.istio.io/workload-name";
/** Its slashes are none that a label's value may have; the entry has a field for it. */
const localityLabel = "istio-locality";

/** As Istio has it: `<group>-<address>`, and the network where there is one. */
export function registeredName({
  group,
  address,
  network,
}: Pick<RegisteredWorkload, "group" | "address" | "network">): string {
  const name = [group, address.replaceAll(":", "-"), ...(network ? [network] : [])].join("-");
  return name.slice(-253);
}

/** Entries that were made here: whoever writes the same annotations writes config. */
const made = new WeakSet<object>();
export const isRegistered = (object: ConfigObject | undefined): boolean => object !== undefined && made.has(object);

/**
 * The WorkloadEntry that a workload of a group has: of its labels those of the node go first, then the group's, then the template's.
 * https://istio.io/latest/docs/reference/config/networking/workload-group/
 */
export function registeredEntry(workload: RegisteredWorkload, group: ConfigObject, revision: number): ConfigObject {
  const { template, metadata } = group.spec as WorkloadGroupSpec;
  const { [localityLabel]: _, ...own } = workload.labels;
  const labels = { ...template.labels, ...metadata?.labels, [workloadName]: workload.workload, ...own };
  const serviceAccount = template.serviceAccount || workload.serviceAccount;
  const spec: WorkloadEntrySpec = {
    ...template,
    address: workload.address,
    labels,
    ...(workload.network && { network: workload.network }),
    ...(workload.locality && { locality: workload.locality }),
    ...(serviceAccount && { serviceAccount }),
  };
  const { health } = workload;
  const entry = withoutZeroValues<Record<string, unknown>>({
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadEntry",
    metadata: {
      name: registeredName(workload),
      namespace: workload.namespace,
      uid: uidOf(workload, group),
      resourceVersion: String(revision),
      generation: 1,
      creationTimestamp: timestamp(workload.registeredAt),
      labels,
      annotations: annotationsOf(workload, metadata?.annotations ?? {}),
      ownerReferences: [
        {
          apiVersion: group.apiVersion,
          kind: group.kind,
          name: group.metadata.name,
          uid: group.metadata.uid ?? "",
          controller: true,
        },
      ],
    },
    spec,
    ...(workload.probed && health && { status: { conditions: [conditionOf(health)] } }),
  });
  made.add(entry);
  return entry;
}

function annotationsOf(workload: RegisteredWorkload, own: Labels): Record<string, string> {
  const { group, controller, connectedAt, disconnectedAt, probed } = registrationAnnotations;
  return {
    ...own,
    [group]: workload.group,
    [controller]: workload.controller,
    ...(workload.disconnectedAt === null
      ? { [connectedAt]: new Date(workload.connectedAt).toISOString() }
      : { [disconnectedAt]: new Date(workload.disconnectedAt).toISOString() }),
    ...(workload.probed && { [probed]: "true" }),
  };
}

/** https://istio.io/latest/docs/reference/config/meta/v1beta1/istio-status/ */
const conditionOf = ({ healthy, message, at }: WorkloadHealth) => ({
  type: "Healthy",
  status: healthy ? "True" : "False",
  lastProbeTime: timestamp(at),
  lastTransitionTime: timestamp(at),
  ...(message && { message }),
});

const timestamp = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** The same for the same registration, whoever asks. */
const uidOf = ({ registeredAt }: RegisteredWorkload, { metadata: { uid = "" } }: ConfigObject): string =>
  `${uid.slice(0, 24)}${Math.floor(registeredAt).toString(16).padStart(12, "0").slice(-12)}`;

/** Which group it registered for; undefined: it is config. */
export const groupOf = (object: ConfigObject): string | undefined =>
  isRegistered(object) ? object.metadata.annotations?.[registrationAnnotations.group] : undefined;

/**
 * Whether it takes requests. What is probed takes none before it is known to be well, as in Istio; who is not probed is taken for well.
 */
export function isReady(object: ConfigObject): boolean {
  if (!isRegistered(object) || object.metadata.annotations?.[registrationAnnotations.probed] !== "true") return true;
  return healthCondition(object)?.status === "True";
}

export function healthCondition(object: ConfigObject): { status: string; message?: string } | undefined {
  const { conditions } = (object.status ?? {}) as {
    conditions?: readonly { type: string; status: string; message?: string }[];
  };
  return Array.isArray(conditions) ? conditions.find(({ type }) => type === "Healthy") : undefined;
}
