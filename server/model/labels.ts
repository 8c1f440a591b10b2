export type Labels = Readonly<Record<string, string>>;

export function matchesLabels(selector: Labels, labels: Labels): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** https://istio.io/latest/docs/ops/deployment/application-requirements/ and Istio's canonical service labels. */
export const canonicalService = (labels: Labels, workload: string): string =>
  labels["service.istio.io/canonical-name"] || labels["app.kubernetes.io/name"] || labels.app || workload;

export const canonicalRevision = (labels: Labels): string =>
  labels["service.istio.io/canonical-revision"] || labels["app.kubernetes.io/version"] || labels.version || "latest";
