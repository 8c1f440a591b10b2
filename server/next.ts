import "server-only";
import type { Dashboard } from "./dev-fixture/dashboard.ts";
import { fixtureDashboard } from "./dev-fixture/dashboard.ts";

export type { Dashboard } from "./dev-fixture/dashboard.ts";

/** Development stand-in on this branch only: generated Bookinfo traffic instead of the control plane and the store. */
export const getDashboard = (): Dashboard => fixtureDashboard();
