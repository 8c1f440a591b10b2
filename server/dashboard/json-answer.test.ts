import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { jsonAnswer } from "./json-answer.ts";

const large = { list: Array.from({ length: 2000 }, (_, i) => i) };

it("packs what is large for whoever takes it, once for all of them", async () => {
  const [one, other] = await Promise.all([jsonAnswer(large, "gzip, deflate, br"), jsonAnswer(large, "*")]);
  expect(one.encoding).toBe("gzip");
  expect(other.body).toBe(one.body);
  expect(JSON.parse(gunzipSync(one.body as Buffer).toString())).toEqual(large);
});

it.each([undefined, "", "br", "gzip;q=0", "gzip; q=0.0"])(
  "sends it as it is to whoever accepts %j",
  async (accepts) => {
    expect(await jsonAnswer(large, accepts)).toEqual({ body: JSON.stringify(large), encoding: undefined });
  },
);

it("does not pack what is small, nor mistake one answer for another", async () => {
  expect(await jsonAnswer({ a: 1 }, "gzip;q=0.5")).toEqual({ body: '{"a":1}', encoding: undefined });
  expect(await jsonAnswer({ a: 2 }, "gzip")).toEqual({ body: '{"a":2}', encoding: undefined });
  expect(await jsonAnswer(undefined, "gzip")).toEqual({ body: "null", encoding: undefined });
});
