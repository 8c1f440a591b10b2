export type { ConnectionTaker, Credentials, JoinOptions, Mesh } from "./api.ts";
export { join } from "./join.ts";
