import { expect, test } from "vitest";
import type { ConfigObject } from "../../../config/object.ts";
import { selectorOf } from "./selectors.ts";
import { humanDuration, wantedTable } from "./table.ts";

const object = (labels: Record<string, string>): ConfigObject => ({
  apiVersion: "v1",
  kind: "X",
  metadata: { name: "reviews", namespace: "default", labels },
  spec: {},
});
const front = object({ app: "web", tier: "front" });

test.each([
  ["", true],
  ["app=web", true],
  ["app==web,tier=front", true],
  ["app=db", false],
  ["app!=web", false],
  ["gone!=x", true],
  ["app in (web, db)", true],
  ["app in (db)", false],
  ["app notin (db),tier", true],
  ["gone notin (db)", true],
  ["gone", false],
  ["!gone", true],
  ["!app", false],
  ["toString", false],
  ["app=", false],
])("the labels match %j: %s", (labelSelector, expected) => {
  expect(selectorOf(new URLSearchParams({ labelSelector }))(front)).toBe(expected);
});

test.each([
  ["metadata.name=reviews", true],
  ["metadata.name!=reviews", false],
  ["metadata.namespace==default,metadata.name=reviews", true],
  ["metadata.namespace=shop", false],
])("the fields match %j: %s", (fieldSelector, expected) => {
  expect(selectorOf(new URLSearchParams({ fieldSelector }))(front)).toBe(expected);
});

test.each<Record<string, string>>([
  { labelSelector: "app in web" },
  { labelSelector: "a b" },
  { fieldSelector: "spec.host=x" },
  { fieldSelector: "x" },
])("the selector %j is a bad request", (query) => {
  expect(() => selectorOf(new URLSearchParams(query))).toThrow(expect.objectContaining({ code: 400 }));
});

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
test.each([
  [-5, "0s"],
  [119 * second, "119s"],
  [2 * minute, "2m"],
  [3 * minute + 12 * second, "3m12s"],
  [27 * minute + 5 * second, "27m"],
  [5 * hour + 3 * minute, "5h3m"],
  [19 * hour + minute, "19h"],
  [3 * day + 4 * hour, "3d4h"],
  [120 * day, "120d"],
  [3 * 365 * day + 55 * day, "3y55d"],
])("%i ms is %s", (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

test.each([
  [
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
    "v1",
  ],
  ["application/json;as=Table;v=v1beta1;g=meta.k8s.io", "v1beta1"],
  ["application/json", undefined],
  ["application/json,application/json;as=Table;v=v1;g=meta.k8s.io", undefined],
  [undefined, undefined],
])("Accept %j wants the table %s", (accept, version) => {
  expect(wantedTable(accept)).toBe(version);
});
