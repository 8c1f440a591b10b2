import { getDashboard } from "../../../../../server/next.ts";
import { respond } from "../../../respond.ts";

export const GET = (_request: Request, { params }: { params: Promise<{ id: string }> }) =>
  respond(async () => (await getDashboard()).proxyConfig(decodeURIComponent((await params).id)));
