import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { pages } from "../components/frame/pages.ts";

/** The reader's first page: what the settings say, else the overview. A cookie is anybody's words: only a page that there is counts. */
export default async function Home() {
  const chosen = (await cookies()).get("start")?.value;
  redirect(pages.find(({ href }) => href === chosen)?.href ?? "/overview");
}
