/** `exportTo`: empty or `*` is everyone, `.` the own namespace, else namespace names. https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService */
export function isVisible(exportTo: readonly string[], ownNamespace: string, clientNamespace: string): boolean {
  if (isPublic(exportTo)) return true;
  return exportTo.some((to) => to === clientNamespace || (to === "." && ownNamespace === clientNamespace));
}

export const isPublic = (exportTo: readonly string[]): boolean => exportTo.length === 0 || exportTo.includes("*");

interface Exported {
  readonly namespace: string;
  readonly exportTo: readonly string[];
}

/**
 * Of those that a client sees, in the order given: first what its own namespace keeps to itself, then what was exported to it by name,
 * then what is everyone's. This is the order of Istio's indexes (`privateByNamespace`, `exportedToNamespace`, `public`).
 */
export function nearestFirst<T extends Exported>(all: readonly T[], clientNamespace: string): T[] {
  const own: T[] = [];
  const exported: T[] = [];
  const everyones: T[] = [];
  for (const it of all) {
    if (isPublic(it.exportTo)) everyones.push(it);
    else if (!isVisible(it.exportTo, it.namespace, clientNamespace)) continue;
    else if (it.namespace === clientNamespace) own.push(it);
    else exported.push(it);
  }
  return [...own, ...exported, ...everyones];
}
