import { expect, it } from "vitest";
import { toYaml } from "../config/to-yaml.ts";
import { objectsOf } from "../translate/testing/cases.ts";
import { withLines } from "./lines.ts";
import { explainedMesh, sidecar } from "./testing/mesh.ts";
import { lineOfField } from "./yaml-line.ts";

const yaml = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: page, namespace: default }
spec: { address: 127.0.1.1, labels: { app: page }, serviceAccount: page }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - match: [{ uri: { prefix: /reviews } }]
      delegate: { name: part, namespace: team }
    - route: [{ destination: { host: reviews } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: part, namespace: team }
spec:
  http:
    - match: [{ uri: { exact: /reviews/1 } }]
      directResponse: { status: 418 }
    - route: [{ destination: { host: reviews.default.svc.cluster.local } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: all, namespace: default }
spec: { host: reviews }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: of-page, namespace: default }
spec: { host: reviews, workloadSelector: { matchLabels: { app: page } } }
`;

const { ask } = explainedMesh(yaml, [sidecar("page", "page", "127.0.1.1", "page")]);
const yamls = new Map(objectsOf(yaml).map((object) => [object.metadata.name, toYaml(object)]));

it("names the delegate that has the rule, with its line, and the DestinationRule that selects the caller", async () => {
  const answered = await ask("http://reviews:9080/reviews/1");
  const { source } = withLines(answered, ({ name, rule }) => lineOfField(yamls.get(name) ?? "", rule));
  const taken = source.routes.find(({ verdict }) => verdict === "taken");
  expect(taken?.origin).toMatchObject({ namespace: "team", name: "part", rule: "http[0].match[0]" });
  const line = yamls.get("part")?.split("\n")[(taken?.origin?.line ?? 0) - 1];
  expect(line).toContain("uri:");
  const sent = await ask("http://reviews:9080/reviews/2");
  expect(sent.source.routes.find(({ verdict }) => verdict === "taken")?.origin).toMatchObject({
    name: "part",
    rule: "http[1]",
  });
  expect(sent.source.clusters.map(({ origin }) => origin?.name)).toEqual(["of-page"]);
});
