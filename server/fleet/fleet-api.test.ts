import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FleetControl, type FleetStatus, serveFleetApi } from "./fleet-api.ts";

let api: { port: number; close(): void };
const done: string[] = [];
const control: FleetControl = {
  status: () => ({ started: true, traffic: { rate: 1 } }) as FleetStatus,
  setTrafficRate: (rate) => done.push(`rate ${rate}`),
  restart: (name) => name === "collector",
  shutdown: () => done.push("shutdown"),
};
beforeEach(async () => {
  done.length = 0;
  api = await serveFleetApi(control, "127.0.0.1", 0);
});
afterEach(() => api.close());

async function statusOf(requestLine: string, headers = "Host: localhost\r\n"): Promise<string | undefined> {
  const socket = connect(api.port, "127.0.0.1");
  let answer = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    answer += chunk.toString("latin1");
  });
  socket.end(`${requestLine} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`, "latin1");
  await once(socket, "close");
  return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
}

test("a target that no URL can have is a 400, and the supervisor goes on", async () => {
  for (const target of ["//[", "/%ff", "http://localhost/v1/status", "*", "\\", "/\\\\["]) {
    expect(await statusOf(`GET ${target}`), target).toMatch(/^40[04]$/);
  }
  expect(await statusOf("GET /v1/status")).toBe("200");
});

test("only programs of this machine are answered", async () => {
  expect(await statusOf("POST /v1/shutdown", "Host: localhost\r\nOrigin: http://localhost\r\n")).toBe("403");
  expect(await statusOf("POST /v1/shutdown", "Host: evil.example\r\n")).toBe("403");
  expect(done).toEqual([]);
});

test("rates, restarts and the end", async () => {
  expect(await statusOf("PUT /v1/traffic?rate=7")).toBe("200");
  expect(await statusOf("PUT /v1/traffic?rate=x")).toBe("400");
  expect(await statusOf("PUT /v1/traffic")).toBe("400");
  expect(await statusOf("POST /v1/restart?part=collector")).toBe("202");
  expect(await statusOf("POST /v1/restart?part=nobody")).toBe("404");
  expect(await statusOf("POST /v1/shutdown")).toBe("202");
  expect(done).toEqual(["rate 7", "shutdown"]);
});
