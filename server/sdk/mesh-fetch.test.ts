import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RequestContext } from "./context.ts";
import { MeshAgent } from "./mesh-agent.ts";
import { meshFetch } from "./mesh-fetch.ts";

/** All hosts of a mesh, by authority; `/to?<status> <location>` sends on. */
let server: Server;
let asked: { method: string | undefined; url: string; headers: IncomingMessage["headers"] }[];
let agent: MeshAgent;
const context = new RequestContext(["authorization", "end-user"]);

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    const { method, url = "", headers } = request;
    asked.push({ method, url: `${headers.host}${url}`, headers });
    request.resume();
    const [, status, location] = /^\/to\?(\d+)%20(.*)$/.exec(url) ?? [];
    if (status === undefined || location === undefined) response.end("here");
    else response.writeHead(Number(status), { location: decodeURIComponent(location) }).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  agent = new MeshAgent(() => connect((server.address() as AddressInfo).port, "127.0.0.1"), context);
});
afterEach(() => {
  agent.destroy();
  server.closeAllConnections();
  return new Promise((done) => server.close(done));
});

const ask = (url: string, init?: RequestInit) => meshFetch({ agent, context }, url, init);
const via = (location: string, status = 302) => `http://reviews:9080/to?${status} ${encodeURIComponent(location)}`;
const credentials = { authorization: "Bearer a", cookie: "session=b", "proxy-authorization": "Basic c" };

it("follows within an origin with all that it was given", async () => {
  const answer = await ask(via("/1"), { headers: { ...credentials, host: "reviews.example" } });
  expect(await answer.text()).toBe("here");
  expect(asked.at(-1)).toMatchObject({ url: "reviews.example/1", headers: credentials });
  expect(answer).toMatchObject({ redirected: true, url: "http://reviews:9080/1" });
});

it.each([
  ["another host", "http://ratings:9080/1", "ratings:9080/1"],
  ["another port", "http://reviews:9081/1", "reviews:9081/1"],
])("tells %s nothing that was meant for the first", async (_, location, url) => {
  await ask(via(location), { headers: { ...credentials, host: "reviews.example", accept: "text/plain" } });
  const last = asked.at(-1);
  expect(last).toMatchObject({ url, headers: { accept: "text/plain" } });
  for (const name of Object.keys(credentials)) expect(last?.headers).not.toHaveProperty(name);
});

it("propagates nobody's credentials to where it was sent, and not when it comes back from there", async () => {
  const incoming = { authorization: "Bearer theirs", "end-user": "ann", traceparent: "00-a-b-01" };
  const back = via(`http://ratings:9080/to?302 ${encodeURIComponent("http://reviews:9080/back")}`);
  await context.within(incoming, () => ask(back));
  const [first, second, third] = asked;
  expect(first?.headers).toMatchObject(incoming);
  for (const later of [second, third]) {
    expect(later?.headers).toMatchObject({ "end-user": "ann", traceparent: "00-a-b-01" });
    expect(later?.headers).not.toHaveProperty("authorization");
  }
  expect(third?.url).toBe("reviews:9080/back");
});

it.each([
  [301, "POST", "GET"],
  [302, "POST", "GET"],
  [303, "POST", "GET"],
  [303, "PUT", "GET"],
  [303, "HEAD", "HEAD"],
  [301, "PUT", "PUT"],
  [307, "POST", "POST"],
  [308, "POST", "POST"],
])("a %i makes of %s a %s", async (status, method, then) => {
  const hasBody = method !== "HEAD";
  const headers = { "content-type": "text/plain", ...(hasBody && { "content-length": "5" }) };
  await ask(via("/1", status), { method, headers, ...(hasBody && { body: "stars" }) });
  const last = asked.at(-1);
  expect(last?.method).toBe(then);
  expect(last?.headers["content-length"]).toBe(then === "GET" || !hasBody ? undefined : "5");
  if (then === "GET") expect(last?.headers).not.toHaveProperty("content-type");
});

it("says where it was sent when that is no address", async () => {
  await expect(ask(via("http://[/"))).rejects.toMatchObject({
    message: "fetch failed",
    cause: expect.objectContaining({ message: "redirected to http://[/, which is no address" }),
  });
});
