import { getDashboard } from "../../../server/next.ts";
import { readQuery, respond, WindowQuery } from "../respond.ts";

export const GET = (request: Request) =>
  respond(async () => (await getDashboard()).services({ windowSec: readQuery(request, WindowQuery).window }));
