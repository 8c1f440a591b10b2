import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Refusal, readBody, readQuery, respond, WindowQuery } from "./respond.ts";

const post = (body: string, type = "application/json") =>
  new Request("http://localhost/api", { method: "POST", body, headers: { "content-type": type } });
const Body = z.object({ weight: z.number(), name: z.string() });

describe("respond", () => {
  it("gives a value as JSON that nobody caches", async () => {
    const response = await respond(async () => ({ a: 1 }));
    expect([response.status, response.headers.get("cache-control"), await response.json()]).toEqual([
      200,
      "no-store",
      { a: 1 },
    ]);
  });
  it.each([
    ["NOT_FOUND", 404],
    ["CONFLICT", 409],
    ["INVALID", 400],
    ["CONTROL_PLANE_UNREACHABLE", 503],
  ] as const)("turns %s into %i with the contract's body", async (code, status) => {
    const response = await respond(() => Promise.reject(new Refusal(code, "no")));
    expect([response.status, await response.json()]).toEqual([status, { code, message: "no" }]);
  });
  it("is INTERNAL for what it does not know", async () => {
    const response = await respond(() => Promise.reject(new Error("boom")));
    expect([response.status, await response.json()]).toEqual([500, { code: "INTERNAL", message: "boom" }]);
  });
});

describe("readBody", () => {
  it("names every wrong field", async () => {
    const wrong = readBody(post(`{"weight":"x"}`), Body);
    await expect(wrong).rejects.toMatchObject({ code: "INVALID", errors: [{ path: "weight" }, { path: "name" }] });
  });
  it("refuses other content types, what is not JSON, and what is too large", async () => {
    await expect(readBody(post("{}", "text/plain"), Body)).rejects.toMatchObject({ code: "INVALID" });
    await expect(readBody(post("{"), Body)).rejects.toMatchObject({
      code: "INVALID",
      message: "The body is not JSON.",
    });
    await expect(readBody(post(`"${"x".repeat(1_048_577)}"`), Body)).rejects.toMatchObject({ code: "TOO_LARGE" });
  });
});

describe("readQuery", () => {
  it("has a default window and bounds", () => {
    expect(readQuery(new Request("http://localhost/"), WindowQuery)).toEqual({ window: 60 });
    expect(() => readQuery(new Request("http://localhost/?window=0"), WindowQuery)).toThrow(/window/);
    expect(() => readQuery(new Request("http://localhost/?window=abc"), WindowQuery)).toThrow(/window/);
  });
});
