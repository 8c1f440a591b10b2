import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ApiHarness, reviews, startApi, virtualServices } from "./testing/api-harness.ts";

// Inputs of a few bytes that once asked for minutes or gigabytes. Nothing is timed here: what isn't in proportion outlasts the test.

let api: ApiHarness;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const send = async (method: string, path: string, type: string, body: string) => {
  const response = await fetch(api.url + path, { method, headers: { "content-type": type }, body });
  return { status: response.status, body: (await response.json()) as { message: string; code?: unknown } };
};
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

test("copies that double end as a 413", async () => {
  await api.call("POST", virtualServices, reviews({ v1: 100 }));
  const patch = [
    { op: "add", path: "/metadata/annotations", value: { a: "x".repeat(400) } },
    ...many(26, (index) => ({ op: "copy", from: "/metadata", path: `/metadata/z${index}` })),
  ];
  const answer = await send(
    "PATCH",
    `${virtualServices}/reviews`,
    "application/json-patch+json",
    JSON.stringify(patch),
  );
  expect(answer.status).toBe(413);
  expect(answer.body.message).toContain("Unable to complete the copy");
});

describe("YAML", () => {
  test("of many keys is read in proportion, and others are answered meanwhile", async () => {
    const flat = many(20_000, (index) => `k${index}: v`).join("\n");
    const order: string[] = [];
    const yaml = send("POST", virtualServices, "application/yaml", flat).then((answer) => {
      order.push("yaml");
      return answer;
    });
    await api.call("GET", "/livez");
    order.push("livez");
    // No such object; on a machine that is busy with other things the time for it may end before.
    expect([422, 413]).toContain((await yaml).status);
    expect(order).toEqual(["livez", "yaml"]);
  });

  test.each([
    ["deep brackets", "[".repeat(100_000), 413],
    ["deep maps", "{a: ".repeat(50_000), 413],
    ["a key twice", "kind: A\nkind: B\n", 400],
    ["two documents", "a: b\n---\nc: d\n", 400],
    [
      "laughs",
      [
        "a: &a [x, x, x, x, x, x, x, x, x]",
        ...many(
          7,
          (index) => `${"bcdefgh"[index]}: &${"bcdefgh"[index]} [${Array(9).fill(`*${"abcdefg"[index]}`).join(", ")}]`,
        ),
      ].join("\n"),
      413,
    ],
  ])("%s are refused", async (_, body, status) => {
    expect((await send("POST", virtualServices, "application/yaml", body)).status).toBe(status);
  });
});

test("objects with a great many fields, hosts, labels and patterns", async () => {
  const labels = Object.fromEntries(many(30_000, (index) => [`l${index}`, "v"]));
  const apply = `${virtualServices}/reviews?fieldManager=a&force=true`;
  const body = (own: object) => JSON.stringify({ ...reviews({ v1: 100 }), metadata: { name: "reviews", ...own } });
  expect((await send("PATCH", apply, "application/apply-patch+yaml", body({ labels }))).status).toBe(201);
  const other = await send("PATCH", apply.replace("=a&", "=b&"), "application/apply-patch+yaml", body({ labels }));
  expect(other.status).toBe(200);
  expect((await send("PATCH", apply, "application/apply-patch+yaml", body({ labels: {} }))).status).toBe(200);

  const hosts = many(30_000, (index) => `h${index}.example.com`);
  const wide = {
    ...reviews({ v1: 100 }, "wide"),
    spec: { hosts, http: [{ route: [{ destination: { host: "reviews" } }] }] },
  };
  expect((await api.call("POST", virtualServices, wide)).status).toBe(201);

  const match = many(1_000, (index) => ({ uri: { regex: `${"\\pL".repeat(300)}${index}` } }));
  const slow = {
    ...reviews({ v1: 100 }, "slow"),
    spec: { hosts: ["slow"], http: [{ match, route: [{ destination: { host: "slow" } }] }] },
  };
  const answer = await api.call("POST", virtualServices, slow);
  expect(answer.status).toBe(422);
  expect(answer.body.message).toContain("the regular expressions of one object are too many");

  const unknown = {
    ...reviews({ v1: 100 }, "unknown"),
    ...Object.fromEntries(many(50_000, (index) => [`sqec${index}`, 1])),
  };
  const strict = await api.call("POST", `${virtualServices}?fieldValidation=Strict`, unknown);
  expect(strict.body.message).toContain("and 49800 more");
  const left = await api.call("POST", virtualServices, unknown);
  expect(left.status).toBe(422);
  expect(left.body.message).toContain("and 49800 more");
}, 120_000);

test("selectors of many terms are refused, long ones of few are read", async () => {
  const list = (selector: string) =>
    api.call("GET", `${virtualServices}?labelSelector=${encodeURIComponent(selector)}`);
  expect((await list(many(5_000, () => "a").join(","))).status).toBe(400);
  expect((await list(`a in (${many(4_000, (index) => `v${index}`).join(",")})`)).status).toBe(200);
  expect((await list("(".repeat(9_000))).status).toBe(400);
});

test("who sends too much can read why, however slowly it sends", async () => {
  const socket = connect(api.port, "127.0.0.1");
  socket.write(
    `POST ${virtualServices} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n`,
  );
  const chunk = Buffer.alloc(100_000, 0x20);
  for (let sent = 0; sent < 8_000_000; sent += chunk.length) {
    if (!socket.write(chunk)) await once(socket, "drain");
  }
  let answer = "";
  for await (const part of socket) answer += part;
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toContain("Request entity too large: limit is 3145728");
});

test("three MiB of body and one and a half of object are taken, as by Kubernetes", async () => {
  const annotated = (bytes: number) => ({
    ...reviews({ v1: 100 }),
    metadata: { name: "reviews", annotations: { a: "x".repeat(bytes) } },
  });
  const large = await api.call("POST", virtualServices, annotated(1_600_000));
  expect(large).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining('"reviews" is invalid: the object must have at most 1572864 bytes') },
  });
  const names = Object.fromEntries(many(5, (index) => [`limpid.dev/${index}`, "x".repeat(250_000)]));
  const answer = await api.call("POST", virtualServices, {
    ...reviews({ v1: 100 }),
    metadata: { name: "reviews", annotations: names },
  });
  expect([201, 422]).toContain(answer.status);
});
