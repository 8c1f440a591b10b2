import "server-only";

/** The one door between `app/` and the server's stages. */
export { throughDoor as getDashboard } from "./dashboard/door.ts";
