import { z } from "zod";
import { getDashboard } from "../../../server/next.ts";
import { DryRunQuery, readBody, readQuery, respond, user } from "../respond.ts";

const Body = z.object({ yaml: z.string().min(1) });

export const POST = (request: Request) =>
  respond(async () => {
    const dry = readQuery(request, DryRunQuery);
    const { yaml } = await readBody(request, Body);
    return (await getDashboard()).applyYaml(yaml, { ...dry, user });
  });
