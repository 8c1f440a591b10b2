import { expect, onTestFinished, test } from "vitest";
import { patience, visit } from "./browser.ts";
import { eventually, getThrough, type TestMesh } from "./mesh.ts";
import type { Running } from "./running.ts";

/** An endpoint at which nobody answers, and the probe that finds it out. */
const deadEndpoint = `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ratings-dead, namespace: default }
spec: { address: 127.0.1.98, ports: { http: 9080 }, labels: { app: ratings, version: v1 } }
`;
const probe = `apiVersion: limpid.dev/v1alpha1
kind: HealthCheck
metadata: { name: ratings, namespace: default }
spec: { host: ratings, http: { path: /health }, interval: 1s }
`;

/** What is asked of endpoints by probes, and what is known of a time without a collector. */
export function healthJourney(running: () => Running, pidOf: (part: string) => Promise<number>): void {
  test("an endpoint whose probe fails is said to be unhealthy, before the others, and probes are no telemetry that is missed", async () => {
    const { mesh, open } = running();
    onTestFinished(() => removeProbe(mesh));
    await apply(mesh, deadEndpoint);
    await apply(mesh, probe);
    const { page, problems } = await open("/services/default/ratings?tab=endpoints");
    await page.getByText("unhealthy: avoided while enough others are healthy").waitFor({ timeout: 2 * patience });
    expect(await page.locator("tbody tr").first().textContent()).toContain("127.0.1.98");
    for (let i = 0; i < 10; i++)
      expect((await getThrough(mesh.gateway, "/api/v1/products/0/ratings")).status).toBe(200);
    expect(await page.getByTestId("telemetry-losses").count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test("the time in which a collector was away is hatched on the overview, a service and a workload", async () => {
    const { page } = await running().open("/overview");
    const before = await pidOf("collector");
    process.kill(before, "SIGKILL");
    await eventually(async () => ![0, before].includes(await pidOf("collector")), patience, "a new process");
    const note = page.getByTestId("unrecorded").getByText(/hatched: .* of which records are missing, or may be/);
    await note.waitFor({ timeout: 2 * patience });
    for (const path of [
      "/services/default/productpage?tab=metrics&window=900",
      "/workloads?window=900&workload=default%2Fproductpage-v1",
    ]) {
      await visit(page, path);
      await note.waitFor();
    }
  });
}

async function apply(mesh: TestMesh, yaml: string): Promise<void> {
  const applied = await mesh.ask("/api/apply", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ yaml }),
  });
  expect(applied.status).toBe(200);
}

async function removeProbe({ configApi }: TestMesh): Promise<void> {
  for (const path of [
    "/apis/limpid.dev/v1alpha1/namespaces/default/healthchecks/ratings",
    "/apis/networking.istio.io/v1/namespaces/default/workloadentries/ratings-dead",
  ])
    await fetch(`${configApi}${path}`, { method: "DELETE" });
}
