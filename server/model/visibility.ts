/** `exportTo`: empty or `*` is everyone, `.` the own namespace, else namespace names. https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService */
export function isVisible(exportTo: readonly string[], ownNamespace: string, clientNamespace: string): boolean {
  if (exportTo.length === 0) return true;
  return exportTo.some(
    (to) => to === "*" || to === clientNamespace || (to === "." && ownNamespace === clientNamespace),
  );
}
