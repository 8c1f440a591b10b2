import { createServer, get, type Server } from "node:http";
import { createServer as createHttp2Server, connect as http2Connect } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, it } from "vitest";
import { dialInProcess } from "../sidecar/cluster/in-process.ts";
import { ApplicationPort } from "./applications.ts";
import { RequestContext } from "./context.ts";

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const at = { address: "127.255.9.9", port: 8080 };
type Application = ConstructorParameters<typeof ApplicationPort>[0];
/** As a mesh gives an application a port. */
function serve(application: Application, context: RequestContext, port = at.port): () => void {
  const served = new ApplicationPort(application, { ...at, port }, context);
  stops.push(() => served.stop());
  return () => served.stop();
}
function dial(port = at.port) {
  const socket = dialInProcess(at.address, port);
  if (socket === undefined) throw new Error("nobody is there");
  return socket;
}
const ask = (traceparent: string, port = at.port): Promise<string> =>
  new Promise((resolve, reject) =>
    get({ path: "/", headers: { traceparent }, createConnection: () => dial(port) }, (answer) =>
      resolve(text(answer)),
    ).on("error", reject),
  );
const tells = (...contexts: RequestContext[]): Server =>
  createServer((_, response) =>
    response.end(contexts.map(({ headers }) => headers.get("traceparent") ?? "none").join()),
  );

it("an application that is served again, in another mesh, calls on behalf of whom it answers there", async () => {
  const [first, second] = [new RequestContext([]), new RequestContext([])];
  const server = tells(first, second);
  const stop = serve(server, first);
  expect(await ask("a")).toBe("a,none");
  stop();
  serve(server, second);
  expect(await ask("b")).toBe("none,b");
});

it("is of both meshes while it is served in two, and of one as long as it has a port there", async () => {
  const [first, second] = [new RequestContext([]), new RequestContext([])];
  const server = tells(first, second);
  const stop = serve(server, first);
  const stopOther = serve(server, first, 8081);
  serve(server, second, 8082);
  expect(await ask("a")).toBe("a,a");
  stop();
  expect(await ask("b", 8081)).toBe("b,b");
  stopOther();
  expect(await ask("c", 8082)).toBe("none,c");
});

it("answers HTTP/2 on behalf of whom it answers", async () => {
  const context = new RequestContext([]);
  const server = createHttp2Server((_, response) => response.end(context.headers.get("traceparent") ?? "none"));
  serve(server, context);
  const session = http2Connect("http://application", { createConnection: () => dial() });
  expect(await text(session.request({ ":path": "/", traceparent: "a" }))).toBe("a");
  session.close();
});

it("gives a server of TCP its connections, which are broken off at the end", async () => {
  const stop = serve(
    createTcpServer((socket) => socket.pipe(socket)),
    new RequestContext([]),
  );
  const socket = dial();
  const closed = new Promise((done) => socket.once("close", done));
  socket.write("hello");
  expect(await new Promise((done) => socket.once("data", (bytes) => done(String(bytes))))).toBe("hello");
  stop();
  socket.resume().on("end", () => socket.destroy());
  await closed;
  expect(dialInProcess(at.address, at.port)).toBeUndefined();
});
