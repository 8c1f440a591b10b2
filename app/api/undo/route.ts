import { z } from "zod";
import { getDashboard } from "../../../server/next.ts";
import { readBody, respond, user } from "../respond.ts";

const Body = z.object({ revision: z.number().int().min(1) });

export const POST = (request: Request) =>
  respond(async () => {
    const { revision } = await readBody(request, Body);
    return (await getDashboard()).undo(revision, { user });
  });
