import type { Dashboard } from "./dashboard.ts";

/**
 * Next bundles the pages by itself, and what they imported of the server would be loaded, compiled and kept in memory a second time. So
 * `limpid dashboard`, in whose process Next runs, leaves the one it has here.
 */
const key = Symbol.for("limpid.dashboard");
const realm = globalThis as { [key]?: Dashboard };

export function shareDashboard(dashboard: Dashboard): void {
  realm[key] = dashboard;
}

/** Throws when the pages run in another process. */
export function sharedDashboard(): Dashboard {
  const dashboard = realm[key];
  if (dashboard === undefined) throw new Error("the dashboard's pages are served by `limpid dashboard`");
  return dashboard;
}
