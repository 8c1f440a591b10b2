import { expect, test } from "vitest";
import type { KindPath } from "../config/api-client.ts";
import type { ConfigObject } from "../config/object.ts";
import type { MeshService, Routing } from "../contract/index.ts";
import { createServiceObjects } from "./service-objects.ts";

const hostname = "reviews.default.svc.cluster.local";
const object = (name: string, spec: ConfigObject["spec"], namespace = "default"): ConfigObject => ({
  apiVersion: "v1",
  kind: "",
  metadata: { name, namespace, resourceVersion: "1" },
  spec,
});
const stored: Record<string, ConfigObject[]> = {
  virtualservices: [object("door", {}), object("other", {}), object("reviews", {}), object("reviews", {}, "shop")],
  destinationrules: [object("reviews", { host: "reviews" }), object("ratings", { host: "ratings" })],
  ratelimits: [
    object("own", { host: "reviews.default" }),
    object("named-so", { host: "reviews" }, "shop"),
    object("longer", { host: "reviews-next" }),
  ],
  gateways: [object("door", {}), object("wide", {}, "istio-system")],
};
const named = (name: string) => ({ namespace: "default", name, resourceVersion: "1", yaml: "" });
const routing = {
  hostname,
  virtualService: named("reviews"),
  destinationRule: null,
  entrances: [{ ...named("door"), hosts: [], gateways: [], rules: [] }],
} as unknown as Routing;
const service = {
  namespace: "default",
  name: "reviews",
  hostname,
  virtualServices: ["default/reviews", "default/door"],
  destinationRules: ["default/reviews"],
} as unknown as MeshService;

test("a service's editor gets what rules that service, the mesh's own first, and every gateway's name", async () => {
  const read = createServiceObjects(
    { objects: async ({ plural }: KindPath) => stored[plural] ?? [], routing: async () => routing },
    async () => [service],
  );
  const { objects, gateways } = await read({ namespace: "default", name: hostname });
  expect(objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`)).toEqual([
    "VirtualService default/reviews",
    "VirtualService default/door",
    "DestinationRule default/reviews",
    "RateLimit default/own",
  ]);
  expect(gateways).toEqual(["default/door", "istio-system/wide"]);
});
