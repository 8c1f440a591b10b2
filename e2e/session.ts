import { askDashboard, type TestMesh } from "./mesh.ts";

/** Signs in as an administrator, by a link as people get it, and gives the session's cookie. `name`: as somebody else. */
export async function sessionCookie(
  mesh: Pick<TestMesh, "dashboard" | "data">,
  name?: string,
): Promise<{ name: string; value: string; url: string }> {
  const json = { "content-type": "application/json" };
  const made = await askDashboard(mesh.dashboard, mesh.data, "/api/sign-in-links", {
    method: "POST",
    headers: json,
    body: JSON.stringify(name === undefined ? {} : { name }),
  });
  const { url } = (await made.json()) as { url: string };
  const link = new URLSearchParams(new URL(url).hash.slice(1)).get("link");
  const answer = await fetch(`${mesh.dashboard}/api/sign-in/link`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ link }),
  });
  const [, cookie, value] = /^([\w-]+)=([^;]+)/.exec(answer.headers.get("set-cookie") ?? "") ?? [];
  if (cookie === undefined || value === undefined)
    throw new Error(`no session: ${answer.status} ${await answer.text()}`);
  return { name: cookie, value, url: mesh.dashboard };
}
