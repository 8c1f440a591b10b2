import { beforeAll, describe, expect, it } from "vitest";
import { KeySet, parseKeySet } from "./key-set.ts";
import { forge, type Issuer, makeIssuer } from "./testing/issuer.ts";
import { parseToken, type Token } from "./token.ts";

let issuer: Issuer;
beforeAll(async () => {
  issuer = await makeIssuer();
});

const cache = { size: 2, maxLength: 2000 };

function keySet(jwks: unknown): KeySet {
  const keys = parseKeySet(typeof jwks === "string" ? jwks : JSON.stringify(jwks), cache);
  if (typeof keys === "string") throw new Error(keys);
  return keys;
}

function token(text: string): Token {
  const parsed = parseToken(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

describe("a set of keys", () => {
  it("verifies by the algorithm that a key is for, whatever else its owner says of it", async () => {
    const { rsa, ec } = issuer.keys;
    const keys = keySet({
      keys: [
        { ...rsa, alg: undefined, use: "enc", key_ops: ["sign"] },
        { ...ec, crv: undefined },
      ],
    });
    expect(await keys.verify(token(await issuer.sign({})))).toBe("ok");
    expect(await keys.verify(token(await issuer.sign({}, { by: "ec" })))).toBe("ok");
  });

  it.each([
    ["a secret made of a public key", () => forge({ alg: "HS256", kid: "rsa" }, {}, JSON.stringify(issuer.keys.rsa))],
    ["an algorithm of another kind of key", () => forge({ alg: "ES256", kid: "rsa" }, {}, "x")],
  ])("is not fooled by %s", async (_, make) => {
    const keys = keySet({ keys: [{ ...issuer.keys.rsa, alg: undefined }] });
    expect(await keys.verify(token(make()))).toBe("verificationFails");
  });

  it("refuses a token that asks for an extension nobody knows (RFC 7515, 4.1.11)", async () => {
    const keys = keySet(issuer.jwks());
    const [, payload] = (await issuer.sign({})).split(".");
    const header = Buffer.from('{"alg":"RS256","crit":["x"],"x":1}').toString("base64url");
    expect(await keys.verify(token(`${header}.${payload}.e30`))).toBe("verificationFails");
  });

  it("remembers the tokens that it found good, a few of them, and no long ones", async () => {
    const keys = keySet(issuer.jwks());
    const texts = await Promise.all([1, 2, 3].map((id) => issuer.sign({ id }, { by: "ed" })));
    const [first, second, third] = texts.map(token) as [Token, Token, Token];
    const long = token(await issuer.sign({ id: "x".repeat(2000) }));
    const bad = token(forge({ alg: "HS256", kid: "hs" }, {}, "wrong"));
    for (const each of [first, second, third, long, bad]) await keys.verify(each);
    expect([first, second, third, long, bad].map((each) => keys.hasProven(each))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });

  it.each([
    ["", "keysBadJson"],
    ["[]", "keysBadJson"],
    ["{}", "noKeys"],
    ['{"a":"b"}', "noKeys"],
    ['{"keys":{}}', "keysNotArray"],
    ['{"keys":[]}', "noValidKey"],
    [
      '{"keys":[1,{"kty":"EC"},{"kty":"RSA","n":"AQ"},{"kty":"oct","k":""},{"kty":"OKP","crv":"X25519","x":"AA"}]}',
      "noValidKey",
    ],
    ['{"keys":[{"kty":"RSA","alg":"ES256"}]}', "noValidKey"],
    ['{"kid":"-----BEGIN CERTIFICATE-----\\nnothing\\n-----END CERTIFICATE-----\\n"}', "noValidKey"],
  ])("%.40s: %s", (text, status) => {
    expect(parseKeySet(text, cache)).toBe(status);
  });

  it("takes what it can use, and leaves the rest", () => {
    expect(parseKeySet(JSON.stringify({ keys: [{ kty: "nosuch" }, issuer.keys.ec] }), cache)).toBeInstanceOf(KeySet);
  });
});
