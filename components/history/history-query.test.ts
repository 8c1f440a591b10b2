import { expect, it } from "vitest";
import { historyQuery } from "./history-query.ts";

const of = (values: Record<string, string>) => historyQuery((name) => values[name], 50);

it("asks with what the address says, and leaves out what makes no sense", () => {
  expect(of({ object: " reviews ", author: "ana", type: "traffic", since: "1764380000000", other: "x" })).toEqual({
    object: "reviews",
    author: "ana",
    type: "traffic",
    since: "1764380000000",
    limit: "50",
  });
  expect(of({ type: "everything", since: "yesterday", until: "" })).toEqual({ limit: "50" });
});
