import { expect, it } from "vitest";
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

function meshes() {
  const written: Write[][] = [];
  const made = createMeshes({
    mesh: async (moment) => (moment === undefined ? now : then),
    restore: () => Promise.reject(new Error("not asked for")),
    transact: async (writes) => {
      written.push([...writes]);
      return { revision: 10, dryRun: false, objects: [], proxies: 0, warnings: [], shares: [] };
    },
  });
  return { ...made, written };
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
