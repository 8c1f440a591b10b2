import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiError } from "../contract/index.ts";
import { startApi } from "../control-plane/api/testing/api-harness.ts";
import { createApiRoutes } from "../dashboard/api-call.ts";
import { createDashboardServer } from "../dashboard/http-server.ts";
import { everybodyIs } from "../dashboard/testing/callers.ts";
import { type FleetControl, type FleetStatus, serveFleetApi } from "../fleet/fleet-api.ts";
import { AdminServer } from "../sidecar/admin/admin-server.ts";
import type { AdminSources } from "../sidecar/admin/handlers.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { createCollector } from "../telemetry/collector.ts";
import { errorBody } from "./error-body.ts";
import { silentLogger } from "./logger.ts";

/** Every HTTP listener of ours but the data path, with a path that is not there and, where there is one, a wrong method. */
const ports: Record<string, { port: number; missing: string; wrong?: string }> = {};
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  const api = createApiRoutes();
  api.add("GET", "/api/status", async () => ({}));
  const dashboard = createDashboardServer({
    api,
    callers: everybodyIs(),
    place: { port: 3000, secure: false },
    addresses: async () => undefined,
    pages: (_, response) => response.end(),
    allowedHosts: [],
    onError: () => undefined,
  });
  ports.dashboard = { port: await listen(dashboard), missing: "GET /api/nothing", wrong: "DELETE /api/status" };
  const config = await startApi();
  closing.push(() => config.close());
  ports["Limpid's config API"] = {
    port: config.port,
    missing: "GET /limpid/v1/nothing",
    wrong: "DELETE /limpid/v1/changes",
  };
  const control: FleetControl = {
    status: () => ({}) as FleetStatus,
    setTrafficRate: () => undefined,
    restart: () => false,
    shutdown: () => undefined,
  };
  const fleet = await serveFleetApi(control, "127.0.0.1", 0);
  closing.push(() => fleet.close());
  ports.supervisor = { port: fleet.port, missing: "GET /v1/nothing" };
  const options = { store: new MemoryTelemetryStore(), grpcPort: 0, httpPort: 0, zipkinPort: 0, logger: silentLogger };
  const collector = createCollector(options);
  await collector.start();
  closing.push(() => collector.stop());
  const portOf = (address: string | undefined) => Number(address?.split(":").at(-1));
  const { http, zipkin } = collector.addresses();
  ports.collector = { port: portOf(http), missing: "GET /nothing", wrong: "DELETE /metrics" };
  ports["collector for Zipkin"] = { port: portOf(zipkin), missing: "GET /nothing", wrong: "DELETE /health" };
  const admin = await AdminServer.listen({ host: "127.0.0.1", port: 0 }, {} as AdminSources);
  closing.push(() => admin.close());
  ports["sidecar's admin"] = { port: admin.address.port, missing: "GET /nothing", wrong: "GET /quitquitquit" };
});
afterAll(async () => {
  for (const close of closing) await close();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

/** The status and the body of what comes back for bytes as they are. */
async function send(port: number, bytes: string): Promise<{ status: number; type: string; body: unknown }> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk.toString("latin1");
  });
  socket.write(bytes, "latin1");
  await once(socket, "close");
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  const json = body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1); // without the sizes of chunks
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]),
    type: /^content-type: (.*)$/im.exec(head)?.[1] ?? "",
    body: JSON.parse(json),
  };
}

const head = "HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n";

describe.each([
  "dashboard",
  "Limpid's config API",
  "supervisor",
  "collector",
  "collector for Zipkin",
  "sidecar's admin",
])("the %s answers with the one body of errors", (name) => {
  const one = () => ports[name] ?? { port: 0, missing: "" };
  const expectError = async (bytes: string, status: number, code: string) => {
    const answer = await send(one().port, bytes);
    expect(answer).toMatchObject({ status, type: expect.stringContaining("application/json"), body: { code } });
    expect(ApiError.strict().safeParse(answer.body).success).toBe(true);
  };

  it("what is not there", () => expectError(`${one().missing} ${head}\r\n`, 404, "NOT_FOUND"));

  it("a method that is not taken", async () => {
    const { wrong } = one();
    if (wrong !== undefined) await expectError(`${wrong} ${head}\r\n`, 405, "UNSUPPORTED");
  });

  it("whom it does not serve", async () => {
    const status = name === "dashboard" ? 421 : 403;
    await expectError(`${one().missing} ${head.replace("localhost", "evil.example")}\r\n`, status, "FORBIDDEN");
  });

  // Those of the config API have no path yet, by which they could be told apart: they are Kubernetes' Status.
  it.skipIf(name === "Limpid's config API")("a target that is no path", () =>
    expectError(`GET //[ ${head}\r\n`, 400, "INVALID"),
  );

  it.skipIf(name === "Limpid's config API")("what is no HTTP", () =>
    expectError("\x16\x03\x01\x02\x00\r\n\r\n", 400, "INVALID"),
  );
});

it.each(["GET /nothing", "GET /apis/nothing/v1", "GET //[", "\x16\x03\x01"])(
  "the config API answers %j with a Status, as Kubernetes",
  async (line) => {
    const answer = await send(ports["Limpid's config API"]?.port ?? 0, `${line} ${head}\r\n`);
    expect(answer.body).toMatchObject({ kind: "Status", status: "Failure", code: answer.status });
  },
);

it.each([400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 421, 422, 429, 431, 500, 501, 502, 503])(
  "there is a word of the contract for status %i",
  (status) => {
    expect(ApiError.safeParse(errorBody(status, "x")).success).toBe(true);
  },
);
