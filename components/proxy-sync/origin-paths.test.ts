import { expect, it } from "vitest";
import { originPaths } from "./origin-paths.ts";

it("reads where a resource comes from", () => {
  const path = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";
  const route = { metadata: { filterMetadata: { istio: { config: path } } } };
  expect(originPaths({ routes: [route, route], config: "no path" })).toEqual([path]);
});
