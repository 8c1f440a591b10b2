import { FaultRequest } from "../../../server/contract/index.ts";
import { getDashboard } from "../../../server/next.ts";
import { DryRunQuery, readBody, readQuery, respond, user } from "../respond.ts";

export const GET = () => respond(async () => (await getDashboard()).faults());

export const POST = (request: Request) =>
  respond(async () => {
    const dry = readQuery(request, DryRunQuery);
    const fault = await readBody(request, FaultRequest);
    return (await getDashboard()).injectFault(fault, { ...dry, user });
  });
