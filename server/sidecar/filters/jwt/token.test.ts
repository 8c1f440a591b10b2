import { describe, expect, it } from "vitest";
import { queryValue, withoutQueryValue } from "../../match/query-string.ts";
import { parseClaims } from "./claims-json.ts";
import { statusCode, statusTexts } from "./status.ts";
import { forge } from "./testing/issuer.ts";
import { parseToken } from "./token.ts";

describe("a token's parts", () => {
  it("are told apart, with what it claims", () => {
    const claims = { iss: "i", sub: "s", aud: ["a", "b"], exp: 12.9, nbf: 3 };
    expect(parseToken(forge({ alg: "HS256", kid: "k" }, claims, "x"))).toMatchObject({
      alg: "HS256",
      kid: "k",
      issuer: "i",
      subject: "s",
      audiences: ["a", "b"],
      expires: 12,
      notBefore: 3,
      claims,
    });
  });

  it.each([
    ["an empty signature", "e30.e30.", "badFormat"],
    ["padding", "e30=.e30.e30", "headerBadBase64"],
    ["a space", "e3 0.e30.e30", "headerBadBase64"],
    ["a length that Base64 never has", "e.e30.e30", "headerBadBase64"],
  ])("%s is refused", (_, text, status) => {
    expect(parseToken(text)).toBe(status);
  });
});

describe("claims", () => {
  it.each([
    ['{"a":1,"b":[{"a":2},{"a":3}]}', true],
    ['{"a":"\\"a\\":","b":1}', true],
    ['{"a": "x\\\\" , "b":{}}', true],
    ['{"a":1,"a":1}', false],
    ['{"a":1,"\\u0061":1}', false],
    ['{"b":[{"a":1,"a":2}]}', false],
    [`{"a":${"[".repeat(99)}${"]".repeat(99)}}`, true],
    [`{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`, false],
    ['{"__proto__":{"iss":"x"}}', true],
    ["[]", false],
    ["1", false],
    ["null", true],
    ["", false],
  ])("%.40s: %s", (text, taken) => {
    expect(parseClaims(text) !== undefined).toBe(taken);
  });
});

describe("query parameters", () => {
  it("are found by their decoded name, the first one", () => {
    expect(queryValue("/p?a=1&%74=x%2Ey&t=z", "t")).toBe("x.y");
    expect(queryValue("/p?tt=1&t", "t")).toBe("");
    expect(queryValue("/p", "t")).toBeUndefined();
    expect(queryValue("/p?t=%zz", "t")).toBe("%zz");
  });

  it("are taken out, and the rest stays as it was", () => {
    expect(withoutQueryValue("/p?a=%20&t=1&b&%74=2", "t")).toBe("/p?a=%20&b");
    expect(withoutQueryValue("/p?t=1", "t")).toBe("/p");
    expect(withoutQueryValue("/p", "t")).toBe("/p");
  });
});

it("codes are Envoy's", () => {
  expect([
    statusCode("ok"),
    statusCode("missing"),
    statusCode("unknownIssuer"),
    statusCode("verificationFails"),
  ]).toEqual([0, 1, 24, 26]);
  expect([statusCode("noKeyMatches"), statusCode("fetchFails"), statusTexts.fetchFails]).toEqual([
    32,
    40,
    "Jwks remote fetch is failed",
  ]);
});
