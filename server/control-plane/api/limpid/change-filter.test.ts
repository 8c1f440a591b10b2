import { afterEach, beforeEach, expect, test } from "vitest";
import { ChangeList } from "../../../contract/index.ts";
import { type ApiHarness, startApi } from "../testing/api-harness.ts";

let api: ApiHarness;
beforeEach(async () => {
  api = await startApi({});
  const write = (author: string, name: string, kind = "ServiceEntry") =>
    api.store.commit(
      [
        {
          op: "put",
          object: {
            apiVersion: "networking.istio.io/v1",
            kind,
            metadata: { name, namespace: "default" },
            spec: {
              hosts: [`${name}.test`],
              ports: [{ number: 80, name: "http", protocol: "HTTP" }],
              resolution: "DNS",
            },
          },
        },
      ],
      author,
    );
  for (const [author, name] of [
    ["ana", "alpha"],
    ["ben", "beta"],
    ["ana", "gamma"],
    ["ben", "alpha-two"],
  ] as const)
    await write(author, name);
});
afterEach(() => api.close());

const changes = async (query: string) => ChangeList.parse((await api.call("GET", `/limpid/v1/changes?${query}`)).body);
const names = async (query: string) => (await changes(query)).changes.map(({ objects }) => objects[0]?.name);

test("narrows by author, by object, by kind and by time", async () => {
  expect(await names("author=ana")).toEqual(["gamma", "alpha"]);
  expect(await names("object=serviceentry+ALPHA")).toEqual(["alpha-two", "alpha"]);
  expect(await names("object=default%2Fbeta&author=ana")).toEqual([]);
  expect(await names("type=traffic")).toEqual([]);
  expect(await names("type=config&limit=1")).toEqual(["alpha-two"]);
  expect(await names("until=1")).toEqual([]);
});

test("says where to go on, and that it was the end", async () => {
  const first = await changes("limit=3");
  expect(first.next).toBe(first.changes[2]?.revision);
  const rest = await changes(`limit=3&before=${first.next}`);
  expect(rest.changes.at(0)?.objects[0]?.name).toBe("alpha");
  expect(rest.next).toBeNull();
});

test("refuses a kind of change that there isn't", async () => {
  expect((await api.call("GET", "/limpid/v1/changes?type=traffik")).status).toBe(400);
});
