import { getDashboard } from "../../../server/next.ts";
import { respond } from "../respond.ts";

export const GET = () => respond(async () => (await getDashboard()).proxies());
