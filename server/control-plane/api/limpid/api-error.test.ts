import { expect, test } from "vitest";
import { ApiError } from "../../../contract/index.ts";
import { reviews, startApi } from "../testing/api-harness.ts";

test("what fails says so by a word that pages have, and field by field", async () => {
  const api = await startApi();
  try {
    const told = async (method: string, path: string, body?: unknown) =>
      ApiError.parse((await api.call(method, path, body)).body);
    expect(await told("GET", "/limpid/v1/services/default/nobody/routing")).toMatchObject({
      code: "NOT_FOUND",
      message: "there is no service nobody in default",
      reason: "no-service",
      params: { name: "nobody", namespace: "default" },
    });
    expect(await told("POST", "/limpid/v1/changes/7/undo", {})).toMatchObject({ reason: "no-change" });
    const put = (object: object, more = {}) => ({ writes: [{ op: "put", object, ...more }] });
    const odd = { ...reviews({ v1: 100 }), spec: { host: ["reviews"], http: [{ delegate: {} }] } };
    const refused = await told("POST", "/limpid/v1/transactions", put(odd));
    expect(refused.errors).toContainEqual({
      path: "writes[0].object.spec.host",
      message: "unknown field; did you mean hosts?",
      reason: "field-unknown-near",
      params: { near: "hosts" },
    });
    expect(refused.errors).toContainEqual({
      path: "writes[0].object.spec.http[0].delegate.name",
      message: "is required",
      reason: "field-required",
    });
    expect((await api.call("POST", "/limpid/v1/transactions", put(reviews({ v1: 100 })))).status).toBe(200);
    const stale = await told("POST", "/limpid/v1/transactions", put(reviews({ v1: 50 }), { expect: "absent" }));
    expect(stale).toMatchObject({ code: "CONFLICT", reason: "conflict-there" });
  } finally {
    await api.close();
  }
});
