import { expect, it } from "vitest";
import { buildGraph } from "../graph.ts";
import { buildServiceList } from "../service-list.ts";
import { edge, facts, graphInput, row, service } from "../testing/rows.ts";

const external = (name: string, host: string) =>
  service(name, ["latest"], {
    external: true,
    hostname: host,
    versions: [{ version: "latest", subset: null, workloads: [host], apps: [host], endpoints: [] }],
  });
/** As a record has it when an endpoint of the entry answered: the workload is the host, its version the default. */
const answered = (host: string, count = 1) =>
  row(
    edge("page", "x", {
      service: host,
      destination: { workload: host, namespace: "default", app: host, version: "latest" },
    }),
    { count },
  );

it("shows a host outside once, as what it is, whether an endpoint of it answered or not", () => {
  const known = facts(external("maps-api", "maps.vendor.test"));
  const refused = row(
    edge("page", "x", {
      service: "maps.vendor.test",
      destination: { workload: "", namespace: "default", app: "maps.vendor.test", version: "" },
    }),
    { code: 503 },
  );
  const { nodes, edges } = buildGraph(graphInput([answered("maps.vendor.test"), refused], known));
  expect(nodes.map(({ id, kind, idle }) => [id, kind, idle])).toEqual([
    ["default/maps.vendor.test/unknown", "external", false],
    ["default/page/v1", "workload", false],
  ]);
  const link = { namespace: "default", hostname: "maps.vendor.test", name: "maps.vendor.test" };
  expect(nodes[0]?.services).toEqual([link]);
  expect(edges.map(({ to }) => to)).toEqual([link]);
});

it("keeps two hosts of one entry apart", () => {
  const known = facts(external("partners", "alpha.partner.test"), external("partners", "beta.partner.test"));
  const rows = [answered("alpha.partner.test"), answered("beta.partner.test", 3)];
  const graph = buildGraph(graphInput(rows, known));
  expect(graph.edges.map(({ to, signals }) => [to?.hostname, signals.requestRate])).toEqual([
    ["alpha.partner.test", 0.1],
    ["beta.partner.test", 0.3],
  ]);
  const window = { fromMs: 0, toMs: 10_000, stepSec: 1 };
  const list = buildServiceList({ window, rows, facts: known });
  expect(list.services.map(({ hostname, signals }) => [hostname, signals.requestRate])).toEqual([
    ["alpha.partner.test", 0.1],
    ["beta.partner.test", 0.3],
  ]);
});

it("knows a workload by its labels, though its service is called otherwise: once called, it is no second node", () => {
  const known = facts(
    service("echo-entry", ["v1"], {
      hostname: "echo.shop.test",
      versions: [{ version: "v1", subset: null, workloads: ["echo-v1"], apps: ["echo"], endpoints: [] }],
    }),
  );
  const called = row(edge("page", "echo/v1", { service: "echo.shop.test" }));
  const ids = (rows: ReturnType<typeof row>[]) => buildGraph(graphInput(rows, known)).nodes.map(({ id }) => id);
  expect(ids([called])).toEqual(["default/echo/v1", "default/page/v1"]);
  expect(ids([])).toEqual(["default/echo/v1"]);
  const { nodes } = buildGraph(graphInput([], known));
  expect(nodes[0]?.services).toEqual([{ namespace: "default", hostname: "echo.shop.test", name: "echo.shop.test" }]);
});

it("names no service of a host that the registry does not know", () => {
  const { nodes, edges } = buildGraph(graphInput([row(edge("page", "ghost/v1"))]));
  expect(nodes.flatMap(({ services }) => services)).toEqual([]);
  expect(edges[0]?.to).toBeNull();
});
