/** Answers when the dashboard itself serves, whatever the state of the mesh. */
export const GET = (): Response => new Response("ok\n", { headers: { "cache-control": "no-store" } });
