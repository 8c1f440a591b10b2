import type { MeshService, Signals } from "../contract/index.ts";

/** Signals of calls to a service, with the thresholds that it has of its own. */
export const judgedBy = (service: Pick<MeshService, "thresholds"> | undefined, signals: Signals): Signals =>
  service?.thresholds ? { ...signals, thresholds: service.thresholds } : signals;
