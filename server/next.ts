import "server-only";

/** All that `app/` uses of the server's stages. */
export {
  sharedAudit as readAudit,
  sharedDashboard as getDashboard,
  sharedSignInWays as getSignInWays,
} from "./dashboard/shared-dashboard.ts";
