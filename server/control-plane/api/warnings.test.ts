import { expect, test } from "vitest";
import type { ConfigObject } from "../../config/object.ts";
import { warningHeader, warningsOf } from "./warnings.ts";

const istio = (kind: string, name: string, spec: object, namespace = "default"): ConfigObject => ({
  apiVersion: "networking.istio.io/v1",
  kind,
  metadata: { name, namespace },
  spec: { ...spec },
});
const service = (name: string, namespace = "default"): ConfigObject => ({
  ...istio("Service", name, { ports: [{ port: 80 }] }, namespace),
  apiVersion: "v1",
});
const to = (host: string, subset?: string) => ({ destination: { host, ...(subset ? { subset } : {}) } });
const rules = istio("DestinationRule", "reviews", { host: "reviews", subsets: [{ name: "v1", labels: {} }] });

test("a destination that nobody has, or a subset that no rule has, is answered 503 and said so", () => {
  const routes = istio("VirtualService", "reviews", {
    hosts: ["reviews"],
    http: [
      { route: [to("reviews", "v1"), to("reviews", "v9"), to("nobody")], mirror: { host: "ratings.other" } },
      { route: [to("api.example.com")] },
    ],
  });
  const entry = istio("ServiceEntry", "example", { hosts: ["*.example.com"] });
  expect(warningsOf([routes], [service("reviews"), rules, entry])).toEqual([
    "spec.http[0].route[1].destination.subset: no DestinationRule of reviews.default.svc.cluster.local has the subset v9; what goes there is answered 503",
    "spec.http[0].route[2].destination.host: no Service or ServiceEntry has the host nobody.default.svc.cluster.local; what goes there is answered 503",
    "spec.http[0].mirror.host: no Service or ServiceEntry has the host ratings.other; what goes there is answered 503",
  ]);
});

test("a host that another VirtualService has for sidecars is said so; gateways merge", () => {
  const mine = (gateways?: string[]) =>
    istio("VirtualService", "mine", {
      hosts: ["reviews"],
      http: [{ route: [to("reviews")] }],
      ...(gateways && { gateways }),
    });
  const theirs = istio("VirtualService", "theirs", { hosts: ["reviews.default.svc.cluster.local"], http: [] }, "other");
  const stored = [service("reviews"), theirs, mine()];
  expect(warningsOf([mine()], stored)).toEqual([
    "spec.hosts[0]: VirtualService other/theirs has the host reviews.default.svc.cluster.local, too; sidecars follow the older of the two",
  ]);
  expect(warningsOf([mine(["gateway"])], stored)).toEqual([]);
});

test("the header is what HTTP's grammar wants", () => {
  expect(warningHeader([])).toEqual({});
  expect(warningHeader(['a "b"', "c"])).toEqual({ warning: '299 - "a \\"b\\"", 299 - "c"' });
});
