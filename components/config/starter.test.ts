import { expect, it } from "vitest";
import { parse } from "yaml";
import { starter } from "./starter.ts";

it("says in comments what the object is for, however many lines that takes", () => {
  const text = starter("one\ntwo: three");
  expect(text.split("\n").slice(0, 3)).toEqual(["# one", "# two: three", "apiVersion: networking.istio.io/v1"]);
  expect(parse(text).metadata).toEqual({ name: "example-api", namespace: "default" });
});
