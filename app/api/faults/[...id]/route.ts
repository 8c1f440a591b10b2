import { getDashboard } from "../../../../server/next.ts";
import { assertJson, respond, user } from "../../respond.ts";

/** An id has slashes of its own: `<namespace>/<virtual service>/<id>`. */
export const DELETE = (request: Request, { params }: { params: Promise<{ id: string[] }> }) =>
  respond(async () => {
    assertJson(request);
    const id = (await params).id.map(decodeURIComponent).join("/");
    return (await getDashboard()).stopFault(id, { user });
  });
