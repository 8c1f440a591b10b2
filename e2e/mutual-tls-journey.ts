import { expect, test } from "vitest";
import type { Graph } from "../server/contract/index.ts";
import { patience, visit } from "./browser.ts";
import { setReviews } from "./config.ts";
import { eventually, getThrough, type TestMesh } from "./mesh.ts";
import type { Running } from "./running.ts";

const versions = { productpage: ["v1"], reviews: ["v1", "v2", "v3"], ratings: ["v1"], details: ["v1"] };

/** Rules of the shape of Istio's `destination-rule-all-mtls.yaml`. */
const rulesWith = (mode: "ISTIO_MUTUAL" | "DISABLE"): string =>
  Object.entries(versions)
    .map(
      ([host, names]) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${host}, namespace: default }
spec:
  host: ${host}
  trafficPolicy: { tls: { mode: ${mode} } }
  subsets: [${names.map((name) => `{ name: ${name}, labels: { version: ${name} } }`).join(", ")}]
`,
    )
    .join("---\n");

/** All calls under mutual TLS and back, on whichever proxies the mesh has. */
export function mutualTlsJourney(running: () => Running): void {
  test("every call is mutual TLS by itself, plain text where a rule says so, and mutual TLS again, under traffic and without a failed request", async () => {
    const { mesh, open } = running();
    await setReviews(mesh, 34, 33, 33);
    let over = false;
    const failures: string[] = [];
    const visitor = (async () => {
      for (let i = 0; !over; i++) {
        const { status, body } = await getThrough(mesh.gateway, "/api/v1/products/0/reviews");
        if (status !== 200 || body.includes('"error"')) failures.push(`${i}: ${status} ${body.slice(0, 200)}`);
      }
    })();
    try {
      await edges(mesh, (share) => share === 1);
      await apply(mesh, rulesWith("DISABLE"));
      await edges(mesh, (share) => share === 0);
      await apply(mesh, rulesWith("ISTIO_MUTUAL"));
      await edges(mesh, (share) => share === 1);
      const { page, problems } = await open("/topology?window=10");
      await page
        .locator('li[data-source="default/productpage/v1"][data-target="default/details/v1"]:not([data-mtls="none"])')
        .waitFor({ state: "attached" });
      await visit(page, "/proxies");
      await page.locator('[data-testid="proxy-row-reviews-v1"] [data-type="SDS"][data-state="SYNCED"]').waitFor();
      expect(problems).toEqual([]);
    } finally {
      over = true;
      await visitor;
    }
    expect(failures).toEqual([]);
  });
}

async function apply(mesh: TestMesh, yaml: string): Promise<void> {
  const answer = await mesh.ask("/api/apply", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ yaml }),
  });
  expect(answer.status, await answer.text()).toBe(200);
}

/** Waits until all calls inside the mesh of the last seconds are as wanted; the graph knows it from the destinations' access logs. */
const edges = (mesh: TestMesh, wanted: (share: number) => boolean) =>
  eventually(
    async () => {
      const graph = (await (await mesh.ask("/api/graph?window=3")).json()) as Graph;
      const inside = graph.edges.filter(({ service }) => service.endsWith(".default.svc.cluster.local"));
      return inside.length >= 6 && inside.every(({ mtls }) => wanted(mtls));
    },
    10_000 + patience,
    "every call is as the rules say",
  );
