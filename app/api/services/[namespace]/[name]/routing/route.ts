import { getDashboard } from "../../../../../../server/next.ts";
import { respond } from "../../../../respond.ts";

export const GET = (_request: Request, { params }: { params: Promise<{ namespace: string; name: string }> }) =>
  respond(async () => (await getDashboard()).routing(await params));
