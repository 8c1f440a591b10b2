import { afterEach, expect, test } from "vitest";
import { type ApiHarness, reviews, startApi, virtualServices } from "../testing/api-harness.ts";

let api: ApiHarness;
afterEach(() => api.close());

type Item = { metadata: { name: string } };
const namesOf = (body: { items: Item[] }): string[] => body.items.map((item) => item.metadata.name);

async function startWith(names: readonly string[], maxHistory?: number): Promise<void> {
  api = await startApi(maxHistory === undefined ? {} : { maxHistory });
  for (const name of names)
    expect(await api.call("POST", virtualServices, reviews({ v1: 1 }, name))).toMatchObject({ status: 201 });
}

const page = (query: string) => api.call("GET", `${virtualServices}?${query}`);

test("a list comes in pages that together are the list, and say how many are left", async () => {
  await startWith(["a", "b", "c", "d", "e"]);
  const first = await page("limit=2");
  expect(namesOf(first.body)).toEqual(["a", "b"]);
  expect(first.body.metadata.remainingItemCount).toBe(3);
  const second = await page(`limit=2&continue=${first.body.metadata.continue}`);
  expect(namesOf(second.body)).toEqual(["c", "d"]);
  const third = await page(`limit=2&continue=${second.body.metadata.continue}`);
  expect(namesOf(third.body)).toEqual(["e"]);
  expect(third.body.metadata).toEqual({ resourceVersion: first.body.metadata.resourceVersion });
});

test("over all namespaces, and as a table", async () => {
  await startWith(["a", "b"]);
  const system = reviews({ v1: 1 }, "a", "istio-system");
  await api.call("POST", virtualServices.replace("default", "istio-system"), system);
  const table = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
  const everywhere = "/apis/networking.istio.io/v1/virtualservices?limit=2";
  const first = await api.call("GET", everywhere, undefined, table);
  expect(first.body.rows.map((row: { cells: string[] }) => row.cells[0])).toEqual(["a", "b"]);
  const rest = await api.call("GET", `${everywhere}&continue=${first.body.metadata.continue}`, undefined, table);
  expect(rest.body.rows.map((row: { object: { metadata: object } }) => row.object.metadata)).toMatchObject([
    { namespace: "istio-system", name: "a" },
  ]);
  expect(rest.body.metadata.continue).toBeUndefined();
});

test("later pages show the list as it was at the first, whatever was written since", async () => {
  await startWith(["a", "b", "d"]);
  const first = await page("limit=1");
  await api.call("POST", virtualServices, reviews({ v1: 1 }, "c"));
  await api.call("DELETE", `${virtualServices}/b`);
  await api.call(
    "PATCH",
    `${virtualServices}/d`,
    { metadata: { labels: { x: "y" } } },
    { "content-type": "application/merge-patch+json" },
  );
  const rest = await page(`limit=10&continue=${first.body.metadata.continue}`);
  expect(namesOf(rest.body)).toEqual(["b", "d"]);
  expect(rest.body.items[1].metadata.labels).toBeUndefined();
  expect(rest.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  const exact = await page(`resourceVersionMatch=Exact&resourceVersion=${first.body.metadata.resourceVersion}`);
  expect(namesOf(exact.body)).toEqual(["a", "b", "d"]);
});

test("a page whose version the history has lost is 410, so that clients list again", async () => {
  await startWith(["a", "b"], 2);
  const first = await page("limit=1");
  for (const name of ["c", "d", "e"]) await api.call("POST", virtualServices, reviews({ v1: 1 }, name));
  expect(await page(`limit=1&continue=${first.body.metadata.continue}`)).toMatchObject({
    status: 410,
    body: { reason: "Expired", message: expect.stringContaining("start a new list without the continue parameter") },
  });
});

test.each([
  ["limit=many", 'limit: Invalid value: "many"'],
  ["continue=nonsense", "continue key is not valid"],
  ["continue=e30&resourceVersion=5", "not allowed when using continue"],
  ["resourceVersionMatch=Exact", "forbidden unless resourceVersion is provided"],
  ["resourceVersionMatch=Newest&resourceVersion=1", "Unsupported value"],
])("%s is refused with a reason", async (query, message) => {
  await startWith([]);
  expect(await page(query)).toMatchObject({ status: 400, body: { message: expect.stringContaining(message) } });
});
