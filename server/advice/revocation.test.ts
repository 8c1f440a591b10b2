import { expect, it } from "vitest";
import { edge, row } from "../query/testing/rows.ts";
import { callsOfIdentity } from "./revocation.ts";

const id = "spiffe://cluster.local/ns/default/sa/cart";
const identities = new Map([
  ["default/cart-v1", id],
  ["default/cart-v2", id],
  ["default/other-v1", "spiffe://cluster.local/ns/default/sa/other"],
]);
const told = { reporter: "destination", mtls: true } as const;

it("has what all workloads of an identity called, the most called first, and plain text apart", () => {
  const sums = [
    row(edge("cart", "prices", told), { count: 2 }),
    row(edge("cart", "stock", told), { count: 3 }),
    row(edge("cart/v2", "stock", told), { count: 4, code: 503 }),
    row(edge("other", "stock", told), { count: 100 }),
    row(edge("", "stock", { ...told, mtls: false }), { count: 100 }),
    row(edge("cart", "stock", { ...told, mtls: false }), { count: 5 }),
  ];
  expect(callsOfIdentity(id, sums, identities)).toEqual({
    calls: [
      { called: "default/stock-v1", calls: 7 },
      { called: "default/prices-v1", calls: 2 },
    ],
    plain: 5,
  });
  expect(callsOfIdentity("spiffe://cluster.local/ns/default/sa/nobody", sums, identities).calls).toEqual([]);
});
