import { z } from "zod";
import { XdsTypeName } from "../../../../../server/contract/index.ts";
import { getDashboard } from "../../../../../server/next.ts";
import { readQuery, respond } from "../../../respond.ts";

const Query = z.object({ type: XdsTypeName.optional(), name: z.string().min(1).max(1000).optional() });

/** What one proxy was sent; with `?type=&name=` one resource of it, with its contents. */
export const GET = (request: Request, { params }: { params: Promise<{ id: string }> }) =>
  respond(async () => {
    const { type, name } = readQuery(request, Query);
    const id = decodeURIComponent((await params).id);
    const dashboard = await getDashboard();
    return type && name ? dashboard.proxyResource(id, { type, name }) : dashboard.proxyConfig(id);
  });
