import { z } from "zod";
import { getDashboard } from "../../../server/next.ts";
import { readQuery, respond, WindowQuery } from "../respond.ts";

const Query = WindowQuery.extend({ at: z.coerce.number().int().min(0).optional() });

export const GET = (request: Request) =>
  respond(async () => {
    const { window, at } = readQuery(request, Query);
    return (await getDashboard()).graph({ windowSec: window, ...(at === undefined ? {} : { at }) });
  });
