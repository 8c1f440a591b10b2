import { getDashboard } from "../../../../../../server/next.ts";
import { readQuery, respond, WindowQuery } from "../../../../respond.ts";

export const GET = (request: Request, { params }: { params: Promise<{ namespace: string; name: string }> }) =>
  respond(async () => {
    const { window } = readQuery(request, WindowQuery);
    return (await getDashboard()).serviceMetrics({ ...(await params), windowSec: window });
  });
