import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ApiHarness, reviews, startApi, virtualServices } from "../testing/api-harness.ts";

let api: ApiHarness;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.close());

const good = reviews({ v1: 100 });
const odd = { ...good, spec: { ...good.spec, sorts: 1 } };
const one = `${virtualServices}/reviews`;
const asText = (value: unknown) => JSON.stringify(value);

/** Each verb that writes, as an object with an unknown field comes by it; `seed`: whether there is one before. */
const verbs = {
  create: { seed: false, write: (query: string) => api.call("POST", `${virtualServices}?${query}`, odd) },
  update: {
    seed: true,
    write: async (query: string) => {
      const { metadata } = (await api.call("GET", one)).body;
      return api.call("PUT", `${one}?${query}`, { ...odd, metadata });
    },
  },
  "merge patch": {
    seed: true,
    write: (query: string) => {
      const type = { "content-type": "application/merge-patch+json" };
      return api.call("PATCH", `${one}?${query}`, asText({ spec: { sorts: 1 } }), type);
    },
  },
  "JSON patch": {
    seed: true,
    write: (query: string) => {
      const type = { "content-type": "application/json-patch+json" };
      return api.call("PATCH", `${one}?${query}`, asText([{ op: "add", path: "/spec/sorts", value: 1 }]), type);
    },
  },
  apply: {
    seed: false,
    write: (query: string) => {
      const type = { "content-type": "application/apply-patch+yaml" };
      return api.call("PATCH", `${one}?fieldManager=me&${query}`, asText(odd), type);
    },
  },
};

describe.each(Object.entries(verbs))("an unknown field by %s", (verb, { seed, write }) => {
  beforeEach(async () => {
    if (seed) await api.call("POST", virtualServices, good);
  });
  const stored = async () => (await api.store.list({ kind: "VirtualService" })).items[0];

  test("is refused by Strict", async () => {
    const before = await stored();
    const answer = await write("fieldValidation=Strict");
    expect(answer).toMatchObject({ status: 422, body: { kind: "Status", reason: "Invalid" } });
    expect(answer.body.message).toContain("spec.sorts: unknown field");
    expect(await stored()).toEqual(before);
  });

  test.each([
    ["Warn", true],
    ["Ignore", false],
  ])("is left out by %s", async (wanted, told) => {
    const answer = await write(`fieldValidation=${wanted}`);
    expect(answer.status).toBeLessThan(300);
    expect(answer.headers.get("warning")?.includes('unknown field \\"spec.sorts\\"')).toBe(told);
    expect(answer.body.spec).toEqual(good.spec);
    expect(asText((await stored())?.metadata.managedFields)).not.toContain("sorts");
  });

  test("is, when the client says nothing, what kube-apiserver makes of it", async () => {
    const answer = await write("");
    if (verb === "apply") expect(answer.status).toBe(422);
    else expect(answer.headers.get("warning")).toContain("spec.sorts");
  });

  test("with a word that is none of the three is a bad request", async () => {
    expect(await write("fieldValidation=warn")).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
  });
});

test("Warn still refuses what is wrong with fields that are known, and tells what was left out", async () => {
  const answer = await api.call("POST", `${virtualServices}?fieldValidation=Warn`, {
    ...odd,
    spec: { ...odd.spec, hosts: ["*"] },
  });
  expect(answer.status).toBe(422);
  expect(answer.body.message).toContain("spec.hosts");
  expect(answer.body.message).not.toContain("sorts");
  expect(answer.headers.get("warning")).toContain("spec.sorts");
});

describe("a field that stands twice", () => {
  const twice = JSON.stringify(good).replace('"spec":{', '"spec":{"hosts":["other"],');
  const message = 'duplicate field "spec.hosts"';
  const type = { "content-type": "application/apply-patch+yaml" };
  const create = (query: string) => api.call("POST", `${virtualServices}?${query}`, twice);

  test("is refused by Strict, and by an apply that says nothing", async () => {
    const refused = await create("fieldValidation=Strict");
    expect(refused).toMatchObject({ status: 400, body: { message: `strict decoding error: ${message}` } });
    expect(await api.call("PATCH", `${one}?fieldManager=me`, twice, type)).toMatchObject({ status: 400 });
    expect((await api.store.list({ kind: "VirtualService" })).items).toEqual([]);
  });

  test("is warned of by Warn, and by a create that says nothing; the last counts", async () => {
    const created = await create("");
    expect([created.status, created.body.spec.hosts]).toEqual([201, ["reviews"]]);
    expect(created.headers.get("warning")).toContain('duplicate field \\"spec.hosts\\"');
    const patch = '{"spec":{"exportTo":["."],"exportTo":["*"]}}';
    const merge = { "content-type": "application/merge-patch+json" };
    const patched = await api.call("PATCH", `${one}?fieldValidation=Warn`, patch, merge);
    expect([patched.status, patched.body.spec.exportTo]).toEqual([200, ["*"]]);
    expect(patched.headers.get("warning")).toContain("spec.exportTo");
  });

  test("is passed over by Ignore", async () => {
    expect((await create("fieldValidation=Ignore")).headers.get("warning") ?? "").not.toContain("duplicate");
  });

  test("in a body that is no JSON is still the body's error", async () => {
    expect((await api.call("POST", virtualServices, '{"a":[}')).status).toBe(400);
    expect((await api.call("PATCH", `${one}?fieldManager=me`, "{a: [}", type)).status).toBe(400);
  });
});

test("an object of a thousand unknown fields and more is another kind of object, and refused by any wish", async () => {
  const strange = (count: number) => ({
    ...good,
    spec: { ...good.spec, ...Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, 1])) },
  });
  expect((await api.call("POST", `${virtualServices}?fieldValidation=Ignore`, strange(1_001))).status).toBe(422);
  expect((await api.call("POST", `${virtualServices}?fieldValidation=Ignore`, strange(1_000))).status).toBe(201);
});
