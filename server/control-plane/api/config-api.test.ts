import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createConfigApiClient } from "../../config/api-client.ts";
import { kinds } from "../../config/kinds/index.ts";
import { type ApiHarness, reviews, startApi, virtualServices } from "./testing/api-harness.ts";

let api: ApiHarness | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});
async function start(...options: Parameters<typeof startApi>): Promise<ApiHarness> {
  api = await startApi(...options);
  return api;
}

/** fetch sets Host and Origin itself: this doesn't. */
const rawGet = (port: number, headers: Record<string, string>): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const call = httpRequest({ host: "127.0.0.1", port, path: "/apis", headers }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on("error", reject);
    call.end();
  });

test.each([
  [{ Host: "127.0.0.1:15014" }, 200],
  [{ Host: "localhost" }, 200],
  [{ Host: "[::1]:15014" }, 200],
  [{ Host: "127.8.9.1" }, 200],
  [{ Host: "mesh.example.com:15014" }, 200],
  [{ Host: "evil.example.com" }, 403],
  [{ Host: "127.0.0.1.evil.com" }, 403],
  [{ Host: "192.168.1.7" }, 403],
  [{ Host: "localhost@evil.com" }, 403],
  [{ Host: "localhost", Origin: "https://evil.example.com" }, 403],
  [{ Host: "localhost", Origin: "null" }, 403],
  [{ Host: "localhost", Origin: "http://localhost:3000" }, 403],
  [{ Host: "localhost", Origin: "https://mesh.example.com" }, 200],
])("the caller %j is answered %i", async (headers, status) => {
  const { port } = await start({
    allowedHosts: ["mesh.example.com"],
    allowedOrigins: ["https://mesh.example.com"],
  });
  const answer = await rawGet(port, headers);
  expect(answer.status).toBe(status);
  if (status === 403) expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", reason: "Forbidden", code: 403 });
});

test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])(
  "a write as %j, which a web page could send unasked, is refused",
  async (type) => {
    const { call, store } = await start();
    const answer = await call("POST", virtualServices, JSON.stringify(reviews({ v1: 100 })), { "content-type": type });
    expect(answer).toMatchObject({ status: 415, body: { kind: "Status", reason: "UnsupportedMediaType" } });
    expect((await store.list({ kind: "VirtualService" })).items).toEqual([]);
  },
);

test("the client of the dashboard lists every kind there is", async () => {
  const { url, call } = await start();
  await call("POST", virtualServices, JSON.stringify(reviews({ v1: 100 })));
  const client = createConfigApiClient(url);
  const lists = await Promise.all(kinds.map(async (kind) => [kind.kind, (await client.objects(kind)).length] as const));
  expect(lists).toContainEqual(["VirtualService", 1]);
  expect(lists).toHaveLength(kinds.length);
});

test("a body past 3 MiB is refused, with and without its length told", async () => {
  const { call, url } = await start();
  const large = JSON.stringify({ ...reviews({ v1: 100 }), note: "x".repeat(3 * 1024 * 1024) });
  expect(await call("POST", virtualServices, large)).toMatchObject({
    status: 413,
    body: { kind: "Status", code: 413 },
  });
  const stream = new ReadableStream({
    start(controller) {
      for (let part = 0; part < 80; part++) controller.enqueue(new TextEncoder().encode("x".repeat(64 * 1024)));
      controller.close();
    },
  });
  const chunked = await fetch(url + virtualServices, {
    method: "POST",
    body: stream,
    headers: { "content-type": "application/json" },
    duplex: "half",
  } as RequestInit).then(
    (response) => response.status,
    () => 413, // the connection is cut while the client still writes
  );
  expect(chunked).toBe(413);
});

test.each([
  ["no JSON", "{", 400],
  ["no object", "[]", 400],
  ["a prototype", '{"__proto__": {"x": 1}}', 400],
  ["a deep nest", `${'{"a":'.repeat(100)}1${"}".repeat(100)}`, 400],
])("%s as a body is a bad request", async (_, text, status) => {
  const { call } = await start();
  expect(await call("POST", virtualServices, text)).toMatchObject({
    status,
    body: { kind: "Status", reason: "BadRequest" },
  });
});

test("errors are Kubernetes' own: all fields at once, conflicts, unknown paths and methods", async () => {
  const { call } = await start();
  const broken = { ...reviews({ v1: 100 }), spec: { http: [{ nix: 1, delegate: {} }] } };
  const invalid = await call("POST", `${virtualServices}?fieldValidation=Strict`, broken);
  expect(invalid).toMatchObject({
    status: 422,
    body: {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason: "Invalid",
      code: 422,
      details: { name: "reviews", group: "networking.istio.io", kind: "VirtualService" },
    },
  });
  expect(invalid.body.details.causes).toEqual(
    expect.arrayContaining([
      { field: "spec.http[0].delegate.name", reason: "FieldValueRequired", message: "is required" },
      expect.objectContaining({ field: "spec.http[0].nix", reason: "FieldValueForbidden" }),
    ]),
  );
  const made = await call("POST", virtualServices, reviews({ v1: 100 }));
  expect(made.status).toBe(201);
  const { resourceVersion } = made.body.metadata;
  expect(await call("PUT", `${virtualServices}/reviews`, reviews({ v2: 100 }))).toMatchObject({
    status: 422,
    body: { details: { causes: [{ field: "metadata.resourceVersion" }] } },
  });
  const versioned = { ...reviews({ v2: 100 }), metadata: { name: "reviews", resourceVersion } };
  expect((await call("PUT", `${virtualServices}/reviews`, versioned)).status).toBe(200);
  expect(await call("PUT", `${virtualServices}/reviews`, versioned)).toMatchObject({
    status: 409,
    body: {
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on virtualservices.networking.istio.io "reviews": the object has been modified; please apply your changes to the latest version and try again',
    },
  });
  expect(await call("POST", virtualServices, reviews({ v1: 100 }))).toMatchObject({
    status: 409,
    body: { reason: "AlreadyExists" },
  });
  expect((await call("PUT", `${virtualServices}/other`, versioned)).status).toBe(400);
  expect((await call("GET", "/apis/networking.istio.io/v1/envoyfilters")).status).toBe(404);
  expect((await call("GET", "/api/v1/services/web")).status).toBe(404); // a Service is in a namespace
  expect((await call("PATCH", virtualServices, {}, { "content-type": "application/merge-patch+json" })).status).toBe(
    405,
  );
  expect((await call("DELETE", `${virtualServices}/reviews?dryRun=maybe`)).status).toBe(400);
});

test("patches without a version all land, however many come at once", async () => {
  const { call, store } = await start();
  await call("POST", virtualServices, reviews({ v1: 100 }));
  const patches = Array.from({ length: 8 }, (_, index) =>
    call(
      "PATCH",
      `${virtualServices}/reviews`,
      { metadata: { labels: { [`l${index}`]: "1" } } },
      { "content-type": "application/merge-patch+json" },
    ),
  );
  expect((await Promise.all(patches)).map((answer) => answer.status)).toEqual(Array(8).fill(200));
  const object = await store.get({ kind: "VirtualService", namespace: "default", name: "reviews" });
  expect(Object.keys(object?.metadata.labels ?? {})).toHaveLength(8);
});

test("a patch that names an old version is refused", async () => {
  const { call } = await start();
  await call("POST", virtualServices, reviews({ v1: 100 }));
  const stale = { metadata: { resourceVersion: "1", labels: { a: "b" } } };
  const type = { "content-type": "application/merge-patch+json" };
  expect(await call("PATCH", `${virtualServices}/reviews`, stale, type)).toMatchObject({ status: 409 });
});

test("every group version has a document in OpenAPI v3 and v2, with its kinds and the parameters that kubectl looks for", async () => {
  const { call } = await start();
  const { paths } = (await call("GET", "/openapi/v3")).body;
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(["api/v1", "apis/networking.istio.io/v1", "apis/networking.istio.io/v1beta1"]),
  );
  const document = (await call("GET", paths["apis/networking.istio.io/v1"].serverRelativeURL)).body;
  const patch = document.paths["/apis/networking.istio.io/v1/namespaces/{namespace}/virtualservices/{name}"].patch;
  expect(patch.parameters.map((parameter: { name: string }) => parameter.name)).toContain("fieldValidation");
  const schema = document.components.schemas["io.istio.networking.v1.VirtualService"];
  expect(schema["x-kubernetes-group-version-kind"]).toEqual([
    { group: "networking.istio.io", version: "v1", kind: "VirtualService" },
  ]);
  expect(JSON.stringify(document)).not.toContain("$defs");
  expect((await call("GET", "/openapi/v2")).body.definitions).toHaveProperty(["io.k8s.api.core.v1.Service"]);
});

test("the server closes with calls and watches open", async () => {
  const harness = await start();
  const watch = await fetch(`${harness.url}${virtualServices}?watch=true`);
  const idle = connect(harness.port, "127.0.0.1");
  await new Promise((resolve) => idle.once("connect", resolve));
  await harness.close();
  expect(await watch.text()).toBe("");
  idle.destroy();
  api = undefined;
});

test("a method that isn't served is 405 and names those that are", async () => {
  const { url } = await start();
  const answer = await fetch(`${url}${virtualServices}`, { method: "PUT" });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")?.split(", ").sort()).toEqual(["DELETE", "GET", "HEAD", "POST"]);
});

test("a body that is no UTF-8 is refused, not stored as question marks", async () => {
  const { url, store } = await start();
  const text = Buffer.from(
    JSON.stringify({ ...reviews({ v1: 100 }), metadata: { name: "a", annotations: { x: "?" } } }),
  );
  text[text.indexOf("?")] = 0xff;
  const answer = await fetch(`${url}${virtualServices}`, {
    method: "POST",
    body: text,
    headers: { "content-type": "application/json" },
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ reason: "BadRequest", message: "the body is no valid UTF-8" });
  expect((await store.list({ kind: "VirtualService" })).items).toEqual([]);
});

test("a dry run gives out no version: an object keeps the one it has", async () => {
  const { call } = await start();
  const created = await call("POST", `${virtualServices}?dryRun=All`, reviews({ v1: 100 }));
  expect(created.body.metadata).not.toHaveProperty("resourceVersion");
  const stored = await call("POST", virtualServices, reviews({ v1: 100 }));
  const patched = await call("PATCH", `${virtualServices}/reviews?dryRun=All`, reviews({ v2: 100 }), {
    "content-type": "application/merge-patch+json",
  });
  expect(patched.body.metadata).toMatchObject({ resourceVersion: stored.body.metadata.resourceVersion, generation: 2 });
});

test("generateName makes a name of its own each time, as long as names may be", async () => {
  const { call } = await start();
  const body = { ...reviews({ v1: 100 }), metadata: { generateName: `canary-${"x".repeat(100)}` } };
  const names = new Set<string>();
  for (let turn = 0; turn < 3; turn++) {
    const { status, body: made } = await call("POST", virtualServices, body);
    expect(status).toBe(201);
    expect(made.metadata.name).toMatch(/^canary-x+[a-z0-9]{5}$/);
    expect(made.metadata.name).toHaveLength(63);
    names.add(made.metadata.name);
  }
  expect(names.size).toBe(3);
});

test("OpenAPI describes fields, for kubectl explain, and marks the lists that merge by key", async () => {
  const { call } = await start();
  const { body } = await call("GET", "/openapi/v3/apis/networking.istio.io/v1");
  const spec = (kind: string) => body.components.schemas[`io.istio.networking.v1.${kind}`].properties.spec.properties;
  const http = spec("VirtualService").http.items.properties;
  for (const field of [http.retries, http.fault, http.route, http.match, http.rewrite.properties.authority]) {
    expect(field.description).toMatch(/^[A-Z].*\.$/s);
  }
  expect(http.match.items.properties.uri.properties.regex.description).toContain("RE2");
  expect(spec("DestinationRule").trafficPolicy.properties.outlierDetection.description).toContain("left out");
  expect(spec("ServiceEntry").ports).toMatchObject({
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
  });
  expect(http.route).not.toHaveProperty("x-kubernetes-list-type");
});
