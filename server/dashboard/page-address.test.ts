import { expect, test } from "vitest";
import { DashboardError, type MeshService } from "../contract/index.ts";
import { createPageAddresses } from "./page-address.ts";

const service = (name: string, hostname: string): MeshService => ({
  namespace: "default",
  name,
  hostname,
  external: false,
  ports: [],
  versions: [],
  virtualServices: [],
  destinationRules: [],
});
const reviews = "reviews.default.svc.cluster.local";
const services = [
  service("reviews", "reviews.vendor.test"),
  service("reviews", reviews),
  service("partners", "alpha.partner.test"),
  service("partners", "beta.partner.test"),
];

const addresses = createPageAddresses({
  services: async () => services,
  async object({ kind, namespace, name }) {
    if (`${kind}/${namespace}/${name}` !== "Namespace//default") {
      throw new DashboardError({ code: "NOT_FOUND", message: "none" });
    }
  },
  async trace(id) {
    if (id === "xyz") throw new DashboardError({ code: "INVALID", message: "no id" });
    if (id !== "a".repeat(32)) throw new DashboardError({ code: "NOT_FOUND", message: "none" });
  },
});

test("a service has one address, by its hostname", async () => {
  for (const hostname of ["alpha.partner.test", "beta.partner.test", "reviews.vendor.test", reviews]) {
    expect(await addresses(`/services/default/${hostname}`)).toBeUndefined();
  }
  expect(await addresses("/services/default/nobody")).toEqual({ kind: "missing" });
  expect(await addresses("/services/other/reviews.vendor.test")).toEqual({ kind: "missing" });
});

test("an address of before leads on: a Service's name before a ServiceEntry's", async () => {
  expect(await addresses("/services/default/reviews")).toEqual({ kind: "moved", to: `/services/default/${reviews}` });
  expect(await addresses("/services/default/partners")).toEqual({
    kind: "moved",
    to: "/services/default/alpha.partner.test",
  });
});

test("objects that are there, that are not, and pages that name no thing", async () => {
  expect(await addresses("/config/Namespace/-/default")).toBeUndefined();
  expect(await addresses("/config/Gateway/default/x")).toEqual({ kind: "missing" });
  for (const path of ["/", "/services", "/config/new", "/services/%ff/x"])
    expect(await addresses(path)).toBeUndefined();
});

test("traces that are there, that are not, and what is no id of any", async () => {
  expect(await addresses(`/traces/${"a".repeat(32)}`)).toBeUndefined();
  expect(await addresses(`/traces/${"b".repeat(32)}`)).toEqual({ kind: "missing" });
  expect(await addresses("/traces/xyz")).toEqual({ kind: "missing" });
  expect(await addresses("/traces")).toBeUndefined();
});

test("who can't be asked says nothing", async () => {
  const failing = async () => {
    throw new DashboardError({ code: "CONTROL_PLANE_UNREACHABLE", message: "no answer" });
  };
  const away = createPageAddresses({ services: failing, object: failing, trace: failing });
  expect(await away("/services/default/reviews")).toBeUndefined();
  expect(await away("/config/Gateway/default/x")).toBeUndefined();
  expect(await away(`/traces/${"b".repeat(32)}`)).toBeUndefined();
});
