import type { Badge, Fault, MeshService } from "../contract/index.ts";

/** What the config and the registry say, as far as the read models show it; made by the caller from the control plane's API. */
export interface MeshFacts {
  services: ServiceFacts[];
  /** Workloads that are gateways. */
  gateways: { namespace: string; app: string; version: string; workload: string }[];
  /** What is injected right now; left out: nobody knows. */
  faults?: readonly Fault[];
}

export interface ServiceFacts extends MeshService {
  /** Where config acts on calls to this service. */
  badges: Badge[];
}

/** Called on every query; keep it cheap. After a rejection the read models go by what it said last. */
export type MeshFactsSource = () => Promise<MeshFacts>;

export const noFacts: MeshFacts = { services: [], gateways: [] };
