import { WeightsChange } from "../../../../../../../server/contract/index.ts";
import { getDashboard } from "../../../../../../../server/next.ts";
import { DryRunQuery, readBody, readQuery, respond, user } from "../../../../../respond.ts";

export const PUT = (request: Request, { params }: { params: Promise<{ namespace: string; name: string }> }) =>
  respond(async () => {
    const { namespace, name } = await params;
    const dry = readQuery(request, DryRunQuery);
    const change = await readBody(request, WeightsChange);
    return (await getDashboard()).setWeights(namespace, name, change, { ...dry, user });
  });
