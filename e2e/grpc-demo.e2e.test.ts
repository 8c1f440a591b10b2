import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { meshPorts } from "../server/fleet/ports.ts";
import { patience } from "./browser.ts";
import { apiOf, setReviews } from "./config.ts";
import { eventually, getThrough, limpid, startMesh, type TestMesh } from "./mesh.ts";

describe("the demo with gRPC, and details without a sidecar", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await startMesh(["--demo-grpc", "--demo-sdk", "--no-dashboard"]);
    await setReviews(mesh, 0, 0, 100);
  });
  afterAll(async () => {
    await mesh?.stop();
  });

  test("reviews get their stars over gRPC, which both sides count with status 0, and not over HTTP", async () => {
    await eventually(async () => (await stars(mesh)).includes('"stars":5'), patience, "stars over gRPC");
    await eventually(
      async () => (await counted(mesh, "source", "0")) > 0 && (await counted(mesh, "destination", "0")) > 0,
      patience,
      "calls counted as gRPC",
    );
    const overHttp = (await calls(mesh)).filter((line) => line.includes('request_protocol="http"'));
    expect(overHttp).toEqual([]);
  });

  test("an abort by gRPC status is counted as what it is, and reviews stay readable", async () => {
    const fault = { abort: { percentage: { value: 100 }, grpcStatus: "UNAVAILABLE" } };
    const object = {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "ratings", namespace: "default" },
      spec: { hosts: ["ratings"], http: [{ fault, route: [{ destination: { host: "ratings" } }] }] },
    };
    await apiOf(mesh).transact([{ op: "put", object }], "an abort of gRPC", { user: "e2e" });
    await eventually(async () => (await stars(mesh)).includes("currently unavailable"), patience, "no stars");
    await eventually(async () => (await counted(mesh, "source", "14")) > 0, patience, "aborts counted");
  });

  test("details take part by the SDK: they have no proxy, are called by mutual TLS, and both sides tell of it", async () => {
    const { parts } = await mesh.status();
    expect(parts.map(({ name }) => name)).not.toContain("details-v1 proxy");
    expect((await getThrough(mesh.gateway, "/api/v1/products/0")).body).toContain("William Shakespeare");
    // As in Istio, only who is called knows how.
    for (const [reporter, policy] of [
      ["source", "unknown"],
      ["destination", "mutual_tls"],
    ]) {
      const wanted = [`reporter="${reporter}"`, 'source_app="productpage"', 'destination_service_name="details"'];
      await eventually(
        async () => (await counters(mesh, [...wanted, `connection_security_policy="${policy}"`])).length > 0,
        patience,
        `calls of details, told by the ${reporter}`,
      );
    }
    const { code, out } = await limpid(["proxy-status", "--port-offset", String(mesh.portOffset)]);
    expect(code).toBe(0);
    expect(out).toMatch(/details-v1\.default.*limpid-sdk/);
  });
});

const stars = async (mesh: TestMesh) => (await getThrough(mesh.gateway, "/api/v1/products/0/reviews")).body;

/** Istio's counters of what reviews ask of ratings. */
const calls = (mesh: TestMesh) => counters(mesh, ['source_app="reviews"', 'destination_service_name="ratings"']);

async function counters(mesh: TestMesh, labels: readonly string[]): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${meshPorts(mesh.portOffset).collectorHttp}/stats/prometheus`);
  const wanted = ["istio_requests_total{", ...labels];
  return (await answer.text()).split("\n").filter((line) => wanted.every((part) => line.includes(part)));
}

/** Those over gRPC with this status, as one side reports them. */
async function counted(mesh: TestMesh, reporter: "source" | "destination", status: string): Promise<number> {
  const wanted = [`reporter="${reporter}"`, 'request_protocol="grpc"', `grpc_response_status="${status}"`];
  return (await calls(mesh))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
