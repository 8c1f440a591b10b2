import type { Access } from "../access/access.ts";
import type { SignInWays } from "../contract/index.ts";
import type { Dashboard } from "./dashboard.ts";

/** What pages may ask of the process that serves them. */
export interface Shared {
  dashboard: Dashboard;
  /** What the sign-in page offers. */
  signInWays(): Promise<SignInWays>;
  /** Who came in and wrote what. For an administrator's page alone: nobody is asked here. */
  audit: Access["audit"];
}

/**
 * Next bundles the pages by itself, and what they imported of the server would be loaded, compiled and kept in memory a second time. So
 * `limpid dashboard`, in whose process Next runs, leaves the one it has here.
 */
const key = Symbol.for("limpid.dashboard");
const realm = globalThis as { [key]?: Shared };

export function shareDashboard(shared: Shared): void {
  realm[key] = shared;
}

function shared(): Shared {
  const found = realm[key];
  if (found === undefined) throw new Error("the dashboard's pages are served by `limpid dashboard`");
  return found;
}

/** Throws when the pages run in another process. */
export const sharedDashboard = (): Dashboard => shared().dashboard;
export const sharedAudit: Access["audit"] = (query) => shared().audit(query);
export const sharedSignInWays = (): Promise<SignInWays> => shared().signInWays();
