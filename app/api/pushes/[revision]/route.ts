import { getDashboard } from "../../../../server/next.ts";
import { Refusal, respond } from "../../respond.ts";

export const GET = (_request: Request, { params }: { params: Promise<{ revision: string }> }) =>
  respond(async () => {
    const { revision } = await params;
    if (revision !== "latest" && !/^\d{1,15}$/.test(revision)) {
      throw new Refusal("INVALID", "A revision is a number, or `latest`.");
    }
    return (await getDashboard()).push(revision === "latest" ? revision : Number(revision));
  });
