import { expect, it } from "vitest";
import { designOf } from "../config/designs.ts";
import type { Write } from "../config/store.ts";
import type { MeshExport } from "../contract/index.ts";
import { createMeshes } from "./meshes.ts";

const route = (name: string, host: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: ${name}
  namespace: default
spec:
  hosts:
    - ${name}
  http:
    - route:
        - destination:
            host: ${host}
`;
const exported = (name: string, host: string) => ({
  kind: "VirtualService",
  namespace: "default",
  name,
  yaml: route(name, host),
});
const now: MeshExport = { revision: 9, objects: [exported("reviews", "reviews"), exported("ratings", "ratings")] };
const then: MeshExport = { revision: 4, objects: [exported("reviews", "reviews-next")] };

const secret = {
  kind: "Secret",
  namespace: "default",
  name: "key",
  yaml: "apiVersion: v1\nkind: Secret\nmetadata: { name: key }\n",
};
const kept = designOf("next", "what comes next", [...then.objects, exported("details", "details"), secret]);

function meshes() {
  const written: Write[][] = [];
  const reasons: (string | undefined)[] = [];
  const made = createMeshes({
    mesh: async (moment) => (moment === undefined ? now : then),
    objects: async () => [kept],
    restore: () => Promise.reject(new Error("not asked for")),
    transact: async (writes, reason) => {
      written.push([...writes]);
      reasons.push(reason);
      return { revision: 10, dryRun: false, objects: [], proxies: 0, warnings: [], shares: [] };
    },
  });
  return { ...made, written, reasons };
}

it("compares what is in force with what was", async () => {
  const found = await meshes().compareMeshes({ from: { revision: 4 }, to: { now: true } });
  expect(found).toMatchObject({ from: 4, to: 9, more: 0 });
  expect(found.objects.map(({ name, before }) => [name, before === ""])).toEqual([
    ["ratings", true],
    ["reviews", false],
  ]);
});

it("compares a text, however it is written", async () => {
  const yaml = `# mine\n${route("reviews", "reviews").replace("metadata:\n", "metadata:\n  annotations: {}\n")}`;
  const found = await meshes().compareMeshes({ from: { now: true }, to: { yaml } });
  expect(found.to).toBeNull();
  expect(found.objects.map(({ name, after }) => [name, after])).toEqual([["ratings", ""]]);
});

it("writes what differs, and deletes the rest only when that is said", async () => {
  const api = meshes();
  const yaml = [route("reviews", "reviews-next"), route("ratings", "ratings")].join("---\n");
  await api.importMesh({ yaml, prune: true }, { user: "ana" });
  await api.importMesh({ yaml: route("reviews", "reviews-next"), prune: true }, { user: "ana" });
  await api.importMesh({ yaml: route("reviews", "reviews-next"), prune: false }, { user: "ana" });
  const shown = api.written.map((writes) =>
    writes.map((one) => `${one.op} ${one.op === "put" ? one.object.metadata.name : one.key.name}`),
  );
  expect(shown).toEqual([["put reviews"], ["put reviews", "delete ratings"], ["put reviews"]]);
});

it("writes nothing where all is so already", async () => {
  const api = meshes();
  const yaml = now.objects.map((one) => one.yaml).join("---\n");
  expect(await api.importMesh({ yaml, prune: true }, { user: "ana", dryRun: true })).toMatchObject({
    revision: 9,
    dryRun: true,
    objects: [],
  });
  expect(api.written).toEqual([]);
});

it("refuses a text that is none, with its lines", async () => {
  await expect(meshes().importMesh({ yaml: "kind: [", prune: false }, { user: "ana" })).rejects.toMatchObject({
    code: "INVALID",
  });
});

it("knows how far the mesh is from each design, those that come with Limpid included", async () => {
  const { designs } = await meshes().designs();
  expect(designs[0]).toMatchObject({ name: "next", ready: false, objects: 2, differs: 1, lacks: 1 });
  expect(designs[0]?.kinds).toEqual([{ kind: "VirtualService", count: 2 }]);
  expect(designs.find(({ name }) => name === "strict-mutual-tls")).toMatchObject({ ready: true, lacks: 1 });
});

it("compares a design with the mesh: what it names and, where that is asked for, the rest", async () => {
  const names = async (of?: "to") =>
    (await meshes().compareMeshes({ from: { now: true }, to: { design: "next" }, ...(of && { of }) })).objects.map(
      ({ name, before, after }) => [name, before !== "", after !== ""],
    );
  expect(await names("to")).toEqual([
    ["details", false, true],
    ["reviews", true, true],
  ]);
  expect(await names()).toContainEqual(["ratings", true, false]);
});

it("puts a design in force as one change, and with prune deletes no Secret for it", async () => {
  const api = meshes();
  now.objects.push(secret);
  try {
    await api.importMesh({ design: "next", prune: false }, { user: "ana" });
    await api.importMesh({ design: "next", prune: true }, { user: "ana" });
  } finally {
    now.objects.pop();
  }
  const shown = api.written.map((writes) =>
    writes.map((one) => `${one.op} ${one.op === "put" ? one.object.metadata.name : one.key.name}`),
  );
  expect(shown).toEqual([
    ["put details", "put reviews"],
    ["put details", "put reviews", "delete ratings"],
  ]);
  expect(api.reasons, "the history says which").toEqual(["design next", "design next"]);
  await expect(api.importMesh({ design: "none", prune: false }, { user: "ana" })).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
});

it("keeps what is in force, a namespace of it or a text; once under a name", async () => {
  const api = meshes();
  const what = { description: "", replace: false };
  await api.keepDesign("blue", { ...what, of: { now: true }, namespace: "default" }, { user: "ana" });
  await api.keepDesign("blue", { ...what, of: { yaml: route("a", "a") }, replace: true }, { user: "ana" });
  expect(api.written.flat()).toMatchObject([
    { op: "put", expect: "absent", object: { kind: "Design", metadata: { name: "blue" } } },
    { op: "put", object: { spec: { objects: [{ metadata: { name: "a" } }] } } },
  ]);
  const empty = api.keepDesign("none", { ...what, of: { now: true }, namespace: "nobody" }, { user: "ana" });
  await expect(empty).rejects.toMatchObject({ code: "INVALID", reason: "design-empty" });
  await expect(api.removeDesign("strict-mutual-tls", { user: "ana" })).rejects.toMatchObject({
    reason: "design-ready",
  });
});
