import { expect, onTestFinished, test } from "vitest";
import { parseDocuments } from "../server/config/kinds/index.ts";
import { workloadPorts } from "../server/fleet/ports.ts";
import { patience, visit } from "./browser.ts";
import { apiOf } from "./config.ts";
import { apply, unexpected } from "./editor-hands.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";
import { ask, startEcho } from "./scenarios/harness/tcp.ts";

/** A TCP service of two versions, as productpage reaches it: counted is who answers connections. */
export function connectionJourney(running: () => Running): void {
  const start = async () => {
    const { mesh } = running();
    const [v1, v2] = await Promise.all([startEcho("v1"), startEcho("v2")]);
    const api = apiOf(mesh);
    const parsed = parseDocuments(registry(v1.port, v2.port));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    await api.transact(
      parsed.value.map((object) => ({ op: "put", object })),
      undefined,
      { user: "e2e" },
    );
    onTestFinished(async () => {
      const rule = (await api.routing(service)).virtualService;
      const keys = [...parsed.value, ...(rule ? [{ kind: "VirtualService", metadata: rule }] : [])];
      await api.transact(
        keys.map(({ kind, metadata: { namespace, name } }) => ({ op: "delete", key: { kind, namespace, name } })),
        undefined,
        { user: "e2e" },
      );
      await Promise.all([v1.close(), v2.close()]);
    });
    const { ip, serviceOffset } = workloadPorts(1, mesh.portOffset);
    return (version: string) =>
      eventually(
        async () => {
          const answers = await Promise.all(
            Array.from({ length: 8 }, () => ask(ip, 9000 + serviceOffset, "x", `${version}\nx`.length)),
          );
          return answers.every((answer) => answer === `${version}\nx`);
        },
        patience,
        `every connection is answered by ${version}`,
      );
  };

  test("connections of a TCP service move by its slider, and by rules that are switched off and on", async () => {
    const answering = await start();
    const { page, problems } = await running().open(`/services/default/${service.name}`);
    await page.getByTestId("weight-v2").fill("100");
    // In a rule of requests no connection would find it.
    await page.getByTestId("change-card").getByText("tcp:").waitFor();
    await page.getByTestId("apply").click();
    await answering("v2");
    // There is no request to fail; the service is so new that the page may not have read it yet.
    await page.getByTestId("inject-fault").waitFor({ state: "detached" });

    await visit(page, `/services/default/${service.name}?edit=VirtualService%2Fdefault%2F${service.name}`);
    await page.getByTestId("tcp-add-rule-last").click();
    await page.getByTestId("field-tcp.1.route.0.destination.subset").fill("v1");
    await page.getByTestId("tcp-rule-0-off").click();
    await apply(page);
    await answering("v1");
    await page.getByTestId("tcp-rule-0-on").click();
    await apply(page);
    await answering("v2");

    await visit(page, `/services/default/${service.name}?tab=metrics`);
    const golden = page.getByTestId("service-golden");
    await eventually(
      async () => /connections.*B\/ssent.*B\/sreceived/.test((await golden.textContent()) ?? ""),
      patience,
      "connections and bytes are counted",
    );
    expect(problems.filter(unexpected)).toEqual([]);
  });
}

const service = { namespace: "default", name: "ledger" };

const registry = (v1: number, v2: number): string => `
apiVersion: v1
kind: Service
metadata: { name: ledger, namespace: default }
spec: { selector: { app: ledger }, ports: [{ name: tcp-ledger, port: 9000 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ledger-v1, namespace: default }
spec: { address: 127.0.0.1, ports: { tcp-ledger: ${v1} }, labels: { app: ledger, version: v1 } }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ledger-v2, namespace: default }
spec: { address: 127.0.0.1, ports: { tcp-ledger: ${v2} }, labels: { app: ledger, version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ledger, namespace: default }
spec:
  host: ledger
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
`;
