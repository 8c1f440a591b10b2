export const securityTabs = ["mutual-tls", "coverage", "refusals", "certificates"] as const;
export type SecurityTab = (typeof securityTabs)[number];

/** What the address asks for. */
export const tabOf = (asked: string | null | undefined): SecurityTab =>
  securityTabs.find((one) => one === asked) ?? "mutual-tls";

/** In the address, in place of a namespace: STRICT is tried for all of the mesh. */
export const wholeMeshTarget = "*";

/** `<namespace>`, `<namespace>/<workload>`, or `*` for the mesh, as the API takes it. */
export function namedBy(target: string): Record<string, string> {
  if (target === wholeMeshTarget) return {};
  const [namespace = "", workload] = target.split("/", 2);
  return { ...(namespace && { namespace }), ...(workload && { workload }) };
}

/** Who calls once an hour should be seen. */
export const securityWindowSec = 3600;
export const securityWindows = [300, 900, 3600, 21_600, 86_400, 604_800] as const;
