import { z } from "zod";
import { getDashboard } from "../../../server/next.ts";
import { readQuery, respond } from "../respond.ts";

const Query = z.object({
  since: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

export const GET = (request: Request) =>
  respond(async () => {
    const { since, limit } = readQuery(request, Query);
    return (await getDashboard()).changes({ sinceMs: since, limit });
  });
