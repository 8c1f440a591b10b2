import { z } from "zod";
import { getDashboard } from "../../../server/next.ts";
import { DryRunQuery, readBody, readQuery, respond, user } from "../respond.ts";

const Body = z.object({ yaml: z.string().min(1) });

export const POST = (request: Request) =>
  respond(async () => {
    const dryRun = readQuery(request, DryRunQuery).dryRun === "true";
    const { yaml } = await readBody(request, Body);
    return (await getDashboard()).applyYaml(yaml, { dryRun, user });
  });
