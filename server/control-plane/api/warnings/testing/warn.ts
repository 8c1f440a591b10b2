import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { parseObject } from "../../../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../../config/object.ts";
import type { ConfigChange } from "../../../../config/store.ts";
import type { ConfigWarning } from "../../../../contract/index.ts";
import type { Labels } from "../../../../model/labels.ts";
import { buildMesh } from "../../../../model/mesh.ts";
import { warningsOf } from "../index.ts";
import { warningText } from "../warning.ts";

/** Objects of a text of YAML documents; whoever leaves apiVersion and namespace out gets Istio's and default. */
export function objects(text: string): ConfigObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value = document.toJS() as ConfigObject | null;
    if (value === null) return [];
    const apiVersion = value.apiVersion ?? (value.kind === "Service" ? "v1" : "networking.istio.io/v1");
    const result = parseObject({ ...value, apiVersion });
    if (!result.ok) throw new Error(JSON.stringify(result.errors));
    return [result.value];
  });
}

export const base = objects(`
{ kind: Service, metadata: { name: reviews }, spec: { selector: { app: reviews }, ports: [{ port: 9080, name: http }] } }
---
{ kind: Service, metadata: { name: ratings }, spec: { selector: { app: ratings }, ports: [{ port: 9080, name: http }] } }
---
{ kind: WorkloadEntry, metadata: { name: reviews-v1 }, spec: { address: 127.0.1.1, labels: { app: reviews, version: v1 } } }
---
{ kind: WorkloadEntry, metadata: { name: ratings-v1 }, spec: { address: 127.0.1.2, labels: { app: ratings, version: v1 } } }
---
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }] }
---
kind: Gateway
metadata: { name: shop }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [shop.test] }] }
`);

export const texts = (warnings: readonly ConfigWarning[]) => warnings.map((one) => warningText(one, { named: false }));

export const nowMs = Date.parse("2026-06-01T00:00:00Z");

/** The warnings on writing these objects, and on deleting those, into what is there. */
export function warn(
  written: string,
  options: { deleted?: readonly string[]; proxies?: readonly Labels[] } = {},
): string[] {
  const put = objects(written);
  const changes: ConfigChange[] = put.map((after) => {
    const before = base.find((one) => formatKey(keyOf(one)) === formatKey(keyOf(after)));
    return { type: before ? "MODIFIED" : "ADDED", key: keyOf(after), ...(before && { before }), after };
  });
  for (const before of base) {
    if (options.deleted?.includes(`${before.kind}/${before.metadata.name}`)) {
      changes.push({ type: "DELETED", key: keyOf(before), before });
    }
  }
  const found = warningsOf(changes, {
    mesh: buildMesh(base, 1),
    nowMs,
    gatewayProxies: options.proxies?.map((labels) => ({ namespace: "default", labels })),
  });
  // Pages in other languages have a word for each.
  expect(found.filter(({ reason }) => reason === undefined)).toEqual([]);
  return texts(found);
}
