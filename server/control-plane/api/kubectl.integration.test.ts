import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import type { ConfigStore } from "../../config/store.ts";
import { openPrismaConfigStore } from "../../store/config/prisma-config-store.ts";
import { type ApiHarness, reviews, startApi } from "./testing/api-harness.ts";
import { createKubectl, findKubectl, type Kubectl, type KubectlResult } from "./testing/kubectl.ts";

const binary = findKubectl();
if (binary === undefined && process.env.CI) throw new Error("kubectl is not on the PATH, and CI is set");
if (binary === undefined) console.warn("skipped: kubectl is not on the PATH");

const yaml = (...objects: unknown[]): string => objects.map((object) => stringify(object)).join("---\n");

const web = (ports: unknown[]) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", labels: { app: "web" } },
  spec: { selector: { app: "web" }, ports },
});

const folder = mkdtempSync(join(tmpdir(), "limpid-kubectl-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stores: [string, () => Promise<ConfigStore>][] = [
  ["memory", async () => new MemoryConfigStore()],
  [
    "SQLite",
    () =>
      openPrismaConfigStore({
        url: `file:${join(folder, "config.db")}`,
        migrations: join(import.meta.dirname, "../../../prisma/config/migrations"),
      }),
  ],
];

describe.skipIf(binary === undefined).each(stores)("a stock kubectl, over the %s store", (_, openStore) => {
  let api: ApiHarness;
  let kubectl: Kubectl;

  beforeAll(async () => {
    api = await startApi({ store: await openStore() });
    kubectl = createKubectl(binary ?? "kubectl", api.url);
  });
  afterAll(async () => {
    await api.close();
    kubectl.cleanup();
  });
  beforeEach(async () => {
    const { items } = await api.store.list();
    const writes = items
      .filter((object) => !["default", "istio-system"].includes(object.metadata.name))
      .map(({ kind, metadata }) => ({
        op: "delete" as const,
        key: { kind, namespace: metadata.namespace, name: metadata.name },
      }));
    if (writes.length > 0) await api.store.commit(writes, "test");
  });

  /** The output of a command that must succeed. */
  async function ok(args: string, input?: string): Promise<string> {
    const result = await kubectl.run(args.split(" "), input);
    expect(result, `kubectl ${args}`).toMatchObject({ code: 0 });
    return result.stdout;
  }
  async function failing(args: string, input?: string): Promise<KubectlResult> {
    const result = await kubectl.run(args.split(" "), input);
    expect(result.code, `kubectl ${args} should fail: ${result.stdout}`).not.toBe(0);
    return result;
  }
  const stored = async (name: string, kind = "VirtualService", namespace = "default") =>
    api.store.get({ kind, namespace, name });

  test("version and api-resources", async () => {
    expect(await ok("version")).toContain("Server Version: v1.32.0");
    const resources = await ok("api-resources");
    expect(resources).toMatch(/virtualservices +vs +networking\.istio\.io\/v1 +true +VirtualService/);
    expect(resources).toMatch(/namespaces +ns +v1 +false +Namespace/);
  });

  test("get: table, wide, all namespaces, yaml, selectors, alias versions", async () => {
    await ok("apply -f -", yaml(reviews({ v1: 80, v2: 20 }), reviews({ v1: 100 }, "ratings")));
    await ok("label vs ratings team=a");
    expect(await ok("get vs")).toMatch(/^NAME +.*AGE\n/);
    expect(await ok("get virtualservice ratings -o wide")).toContain("ratings");
    expect(await ok("get vs -A")).toMatch(/NAMESPACE +NAME/);
    const document = await ok("get vs reviews -o yaml");
    expect(document).toContain("apiVersion: networking.istio.io/v1\nkind: VirtualService");
    expect(await ok("get virtualservices.v1alpha3.networking.istio.io reviews -o jsonpath={.apiVersion}")).toBe(
      "networking.istio.io/v1alpha3",
    );
    expect(await ok("get vs -l team=a -o name")).toBe("virtualservice.networking.istio.io/ratings\n");
    expect(await ok("get vs --field-selector metadata.name=reviews -o name")).toBe(
      "virtualservice.networking.istio.io/reviews\n",
    );
    expect((await failing("get vs nothing")).stderr).toContain(
      'virtualservices.networking.istio.io "nothing" not found',
    );
  });

  test("apply: created, unchanged, configured, and fields that the file drops", async () => {
    const first = { ...reviews({ v1: 100 }), metadata: { name: "reviews", labels: { a: "1", b: "2" } } };
    expect(await ok("apply -f -", yaml(first))).toContain("created");
    expect(await ok("apply -f -", yaml(first))).toContain("unchanged");
    const second = { ...reviews({ v1: 70, v3: 30 }), metadata: { name: "reviews", labels: { a: "1" } } };
    expect(await ok("apply -f -", yaml(second))).toContain("configured");
    expect(await stored("reviews")).toMatchObject({ spec: second.spec, metadata: { labels: { a: "1" } } });
    expect((await stored("reviews"))?.metadata.labels).not.toHaveProperty("b");
    expect((await api.store.history({ limit: 1 }))[0]?.author).toBe("kubectl-client-side-apply");
  });

  test("apply of a Service merges ports by key and keeps what others added", async () => {
    await ok(
      "apply -f -",
      yaml(
        web([
          { name: "http", port: 80, targetPort: 8080 },
          { name: "grpc", port: 90 },
        ]),
      ),
    );
    await kubectl.run(["patch", "svc", "web", "-p", '{"spec":{"ports":[{"port":70,"name":"mine"}]}}']);
    await ok("apply -f -", yaml(web([{ name: "http", port: 80, targetPort: 8081 }])));
    const service = await stored("web", "Service");
    expect(service?.spec).toMatchObject({
      ports: expect.arrayContaining([
        { name: "http", port: 80, targetPort: 8081 },
        { name: "mine", port: 70 },
      ]),
    });
    expect(service?.spec.ports).toHaveLength(2);
  });

  test("apply --server-side: ownership, conflict, force, and fields given up", async () => {
    const mine = reviews({ v1: 100 });
    expect(await ok("apply --server-side --field-manager=a -f -", yaml(mine))).toContain("serverside-applied");
    const theirs = reviews({ v2: 100 });
    const refused = await failing("apply --server-side --field-manager=b -f -", yaml(theirs));
    expect(refused.stderr).toContain('conflict with "a" using networking.istio.io/v1: .spec.http');
    await ok("apply --server-side --field-manager=b --force-conflicts -f -", yaml(theirs));
    const owners = (await stored("reviews"))?.metadata.managedFields as { manager: string; fieldsV1: object }[];
    expect(owners.find((owner) => owner.manager === "a")?.fieldsV1).toEqual({ "f:spec": { "f:hosts": {} } });
    expect(owners.find((owner) => owner.manager === "b")?.fieldsV1).toEqual({
      "f:spec": { "f:hosts": {}, "f:http": {} },
    });
  });

  test("apply --server-side of a Service's ports by two managers", async () => {
    const http = { name: "http", port: 80 };
    const grpc = { name: "grpc", port: 90 };
    await ok("apply --server-side --field-manager=a -f -", yaml(web([http])));
    await ok("apply --server-side --field-manager=b -f -", yaml(web([grpc])));
    expect(await stored("web", "Service")).toMatchObject({ spec: { ports: [http, grpc] } });
    const other = yaml(web([{ ...http, targetPort: 9090 }, grpc]));
    await ok("apply --server-side --field-manager=a -f -", yaml(web([{ ...http, targetPort: 8080 }])));
    const refused = await failing("apply --server-side --field-manager=b -f -", other);
    expect(refused.stderr).toContain('conflict with "a" using v1: .spec.ports[port=80,protocol="TCP"].targetPort');
    await ok("apply --server-side --field-manager=a -f -", yaml({ ...web([]), spec: { selector: { app: "web" } } }));
    expect(await stored("web", "Service")).toMatchObject({ spec: { ports: [grpc] } });
  });

  test("apply --server-side takes over from client-side apply", async () => {
    await ok("apply -f -", yaml(reviews({ v1: 100 })));
    await ok("apply --server-side -f -", yaml(reviews({ v1: 100 })));
    await ok("apply --server-side -f -", yaml(reviews({ v1: 50, v2: 50 })));
    const managers = (await stored("reviews"))?.metadata.managedFields as { manager: string }[];
    expect(managers.map((owner) => owner.manager)).toContain("kubectl");
    expect(managers.map((owner) => owner.manager)).not.toContain("kubectl-client-side-apply");
  });

  test("patch: merge, json, strategic", async () => {
    await ok("apply -f -", yaml(reviews({ v1: 80, v2: 20 })));
    await ok('patch vs reviews --type=merge -p {"metadata":{"labels":{"x":"y"}}}');
    await ok(
      'patch vs reviews --type=json -p [{"op":"replace","path":"/spec/http/0/route/0/weight","value":50},{"op":"replace","path":"/spec/http/0/route/1/weight","value":50}]',
    );
    expect(await stored("reviews")).toMatchObject({
      metadata: { labels: { x: "y" } },
      spec: { http: [{ route: [{ weight: 50 }, { weight: 50 }] }] },
    });
    expect((await failing("patch vs reviews -p {}")).stderr).toContain("application/merge-patch+json");
    const broken = await failing('patch vs reviews --type=merge -p {"spec":{"http":[{"timeout":"soon","nix":1}]}}');
    expect(broken.stderr).toContain('The VirtualService "reviews" is invalid');
    expect(broken.stderr).toContain("* spec.http[0].timeout: ");
    // kubectl patch asks for no field validation: what is unknown is left out, and told.
    expect(broken.stderr).toContain('Warning: unknown field "spec.http[0].nix"');
  });

  test("create, create again, replace, edit, annotate", async () => {
    await ok("create -f -", yaml(reviews({ v1: 100 })));
    expect((await failing("create -f -", yaml(reviews({ v1: 100 })))).stderr).toContain("AlreadyExists");
    expect(await ok("replace -f -", yaml(reviews({ v2: 100 })))).toContain("replaced");
    const edited = await kubectl.run(["edit", "vs", "reviews"], "", { EDITOR: "sed -i 's/subset: v2/subset: v3/'" });
    expect(edited).toMatchObject({ code: 0 });
    await ok("annotate vs reviews why=because");
    expect(await stored("reviews")).toMatchObject({
      metadata: { annotations: { why: "because" } },
      spec: { http: [{ route: [{ destination: { subset: "v3" } }] }] },
    });
  });

  test("--dry-run=server and diff store nothing", async () => {
    expect(await ok("apply --dry-run=server -f -", yaml(reviews({ v1: 100 })))).toContain("(server dry run)");
    expect(await stored("reviews")).toBeUndefined();
    await ok("apply -f -", yaml(reviews({ v1: 100 })));
    const diff = await kubectl.run(["diff", "-f", "-"], yaml(reviews({ v2: 100 })));
    expect(diff).toMatchObject({ code: 1, stdout: expect.stringContaining("+        subset: v2") });
    expect(await stored("reviews")).toMatchObject({ spec: { http: [{ route: [{ destination: { subset: "v1" } }] }] } });
  });

  test("delete: by name, by file, all; and waits", async () => {
    await ok("apply -f -", yaml(reviews({ v1: 100 }), reviews({ v1: 100 }, "a"), reviews({ v1: 100 }, "b")));
    expect(await ok("delete vs a")).toContain('"a" deleted');
    expect(await ok("delete --dry-run=server vs b")).toContain("(server dry run)");
    expect(await stored("b")).toBeDefined();
    await ok("delete -f -", yaml(reviews({ v1: 100 })));
    await ok("delete vs --all");
    expect((await api.store.list({ kind: "VirtualService" })).items).toEqual([]);
    await ok("wait --for=delete vs/a --timeout=5s");
    expect((await failing("delete vs a")).stderr).toContain("NotFound");
  });

  test("namespaces: create, use, delete with everything inside", async () => {
    const refused = await failing(
      "-n shop apply -f -",
      yaml({ ...reviews({ v1: 100 }), metadata: { name: "reviews" } }),
    );
    expect(refused.stderr).toContain('namespaces "shop" not found');
    await ok("create namespace shop");
    await ok("-n shop apply -f -", yaml({ ...reviews({ v1: 100 }), metadata: { name: "reviews" } }));
    expect(await ok("get ns")).toMatch(/shop +Active/);
    await ok("-n shop create service clusterip web --tcp=80:8080");
    expect(await stored("web", "Service", "shop")).toMatchObject({
      spec: { selector: { app: "web" }, ports: [{ name: "80-8080", port: 80, targetPort: 8080 }] },
    });
    await ok("delete ns shop");
    expect(await stored("reviews", "VirtualService", "shop")).toBeUndefined();
    expect((await failing("delete ns default")).stderr).toContain("may not be deleted");
  });

  test("lists come in chunks; diff shows no versions; names are generated", async () => {
    for (const name of ["a", "b", "c"]) await ok("apply -f -", yaml(reviews({ v1: 100 }, name)));
    expect(await ok("get vs --chunk-size=2 -o name")).toBe(
      ["a", "b", "c"].map((name) => `virtualservice.networking.istio.io/${name}\n`).join(""),
    );
    const diff = await kubectl.run(["diff", "-f", "-"], yaml(reviews({ v2: 100 }, "a")));
    expect(diff.stdout).not.toMatch(/^[-+] +resourceVersion/m);
    const generated = { ...reviews({ v1: 100 }), metadata: { generateName: "canary-" } };
    expect(await ok("create -f -", yaml(generated))).toMatch(/virtualservice\S+\/canary-[a-z0-9]{5} created/);
  });

  test("what is valid and leads nowhere is a warning", async () => {
    const applied = await kubectl.run(["apply", "-f", "-"], yaml(reviews({ v9: 100 })));
    expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining("created") });
    expect(applied.stderr).toContain(
      "Warning: spec.http[0].route[0].destination.host: no Service or ServiceEntry has the host reviews.default.svc.cluster.local",
    );
  });

  test("auth can-i and whoami answer", async () => {
    expect(await ok("auth can-i create virtualservices")).toBe("yes\n");
    expect(await ok("auth can-i --list")).toContain("*.*");
    expect(await ok("auth whoami")).toContain("system:anonymous");
  });

  test("get -w shows what happens", async () => {
    await ok("apply -f -", yaml(reviews({ v1: 100 })));
    const watch = kubectl.start(["get", "vs", "-w", "--output-watch-events"]);
    await expect.poll(watch.output, { timeout: 15_000 }).toMatch(/ADDED +reviews/);
    await ok("label vs reviews seen=yes");
    await expect.poll(watch.output, { timeout: 15_000 }).toMatch(/MODIFIED +reviews/);
    await ok("delete vs reviews");
    await expect.poll(watch.output, { timeout: 15_000 }).toMatch(/DELETED +reviews/);
    await watch.stop();
    expect(watch.output().match(/NAME/g)).toHaveLength(1);
  });

  test("describe and explain", async () => {
    await ok("apply -f -", yaml(reviews({ v1: 100 }), web([{ name: "http", port: 80 }])));
    expect(await ok("describe vs reviews")).toMatch(/Kind: +VirtualService/);
    expect(await ok("describe svc web")).toMatch(/Selector: +app=web/);
    expect(await ok("describe ns default")).toMatch(/Status: +Active/);
    expect(await ok("explain vs.spec.http.route.weight")).toContain("FIELD: weight <integer>");
    expect(await ok("explain svc.spec.ports")).toContain("targetPort");
  });

  test("a kind that isn't supported is refused by name", async () => {
    const filter = {
      apiVersion: "extensions.istio.io/v1alpha1",
      kind: "WasmPlugin",
      metadata: { name: "x" },
      spec: {},
    };
    expect((await failing("apply -f -", yaml(filter))).stderr).toContain('no matches for kind "WasmPlugin"');
  });

  test("apply --prune takes away what the files no longer have, though most of what it asks for is never here", async () => {
    const labelled = (name: string) => ({
      ...web([{ port: 80, name: "http" }]),
      metadata: { name, labels: { app: "web" } },
    });
    const apply = (...names: string[]) =>
      kubectl.run(["apply", "--prune", "-l", "app=web", "-f", "-"], yaml(...names.map(labelled)));
    await apply("one", "two");
    const pruned = await apply("one");
    expect(pruned).toMatchObject({ code: 0 });
    expect(pruned.stdout).toContain("service/two pruned");
    expect((await api.store.list({ kind: "Service" })).items.map(({ metadata }) => metadata.name)).toEqual(["one"]);
    for (const kind of ["pods", "secrets", "crd", "mutatingwebhookconfigurations", "deployments"]) {
      expect(await kubectl.run(["get", kind])).toMatchObject({
        code: 0,
        stdout: "",
        stderr: expect.stringContaining("No resources found"),
      });
    }
    expect((await kubectl.run(["create", "configmap", "a"])).stderr).toContain("not allow this method");
  });

  test("the status is a subresource", async () => {
    await kubectl.run(["apply", "-f", "-"], yaml(reviews({ v1: 100 })));
    const before = (await api.store.list({ kind: "VirtualService" })).items[0];
    const patch = '{"spec":{"hosts":["other"]},"status":{"conditions":[{"type":"Reconciled","status":"True"}]}}';
    const args = ["patch", "virtualservice", "reviews", "--subresource=status", "--type=merge", "-p", patch];
    expect(await kubectl.run(args)).toMatchObject({ code: 0 });
    const after = (await api.store.list({ kind: "VirtualService" })).items[0];
    expect(after?.spec).toEqual(before?.spec);
    expect(after?.status).toEqual({ conditions: [{ type: "Reconciled", status: "True" }] });
    expect(after?.metadata.generation).toBe(before?.metadata.generation);
    await kubectl.run(["apply", "-f", "-"], yaml(reviews({ v1: 50, v2: 50 })));
    expect((await api.store.list({ kind: "VirtualService" })).items[0]?.status).toEqual(after?.status);
  });

  test("--validate says what becomes of unknown fields", async () => {
    const odd = { ...reviews({ v1: 100 }), spec: { ...reviews({ v1: 100 }).spec, sorts: 1 } };
    expect(await kubectl.run(["apply", "--validate=strict", "-f", "-"], yaml(odd))).toMatchObject({ code: 1 });
    const warned = await kubectl.run(["apply", "--validate=warn", "-f", "-"], yaml(odd));
    expect(warned).toMatchObject({ code: 0, stderr: expect.stringContaining('Warning: unknown field "spec.sorts"') });
    const ignored = await kubectl.run(["apply", "--validate=ignore", "-f", "-"], yaml(odd));
    expect(ignored.code).toBe(0);
    expect(ignored.stderr).not.toContain("unknown field");
    expect((await api.store.list({ kind: "VirtualService" })).items[0]?.spec).not.toHaveProperty("sorts");
  });

  test("what a delete takes from others is printed", async () => {
    const rule = {
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: { name: "reviews" },
      spec: { host: "reviews", subsets: [{ name: "v1", labels: { version: "v1" } }] },
    };
    const service = { ...web([{ port: 80, name: "http" }]), metadata: { name: "reviews" } };
    await kubectl.run(["apply", "-f", "-"], yaml(service, rule, reviews({ v1: 100 })));
    const deleted = await kubectl.run(["delete", "destinationrule", "reviews"]);
    expect(deleted.stderr).toContain("VirtualService default/reviews needs what goes");
  });
});
