import type { Dashboard } from "./dashboard.ts";

/**
 * Next bundles the pages by itself, and what they imported of the server would be loaded, compiled and kept in memory a second time. So
 * `limpid dashboard`, in whose process Next runs, leaves the one it has here.
 */
const door = Symbol.for("limpid.dashboard");
const place = globalThis as { [door]?: Dashboard };

export function openDoor(dashboard: Dashboard): void {
  place[door] = dashboard;
}

export function throughDoor(): Dashboard {
  const dashboard = place[door];
  if (dashboard === undefined) throw new Error("the dashboard's pages are served by `limpid dashboard`");
  return dashboard;
}
