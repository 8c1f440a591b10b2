import { expect, it } from "vitest";
import { configRuleOf } from "./origins.ts";

it("reads the object that a route came from", () => {
  expect(configRuleOf("/apis/x/v1/namespaces/a/destination-rule/b")).toEqual({
    kind: "DestinationRule",
    namespace: "a",
    name: "b",
    rule: "",
  });
  expect(configRuleOf("/apis/x/v1/namespaces/a/virtual-service/b#http[2].match[0]")).toEqual({
    kind: "VirtualService",
    namespace: "a",
    name: "b",
    rule: "http[2].match[0]",
  });
  expect(configRuleOf("")).toBeNull();
});
