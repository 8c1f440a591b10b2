import { z } from "zod";
import { getDashboard } from "../../../server/next.ts";
import { readQuery, respond } from "../respond.ts";

const text = z.string().min(1).max(253);
const Query = z.object({ kind: text.optional(), namespace: text.optional(), name: text.optional() });

/** `?kind=&namespace=&name=`: one object; without a name the list, of one kind or of all. */
export const GET = (request: Request) =>
  respond(async () => {
    const { kind, namespace, name } = readQuery(request, Query);
    const dashboard = await getDashboard();
    return kind && namespace && name ? dashboard.object({ kind, namespace, name }) : dashboard.objects(kind);
  });
