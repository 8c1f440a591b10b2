import { headers } from "next/headers";
import { Session } from "../server/contract/index.ts";

/** Who asks for this page, as the dashboard's listener found out; null: nobody has signed in. */
export async function getSession(): Promise<Session | null> {
  const header = (await headers()).get("x-limpid-caller");
  return header === null ? null : Session.parse(JSON.parse(decodeURIComponent(header)));
}
