import { expect, it } from "vitest";
import type { AdvisedPolicy, PolicyCheck } from "../../contract/index.ts";
import { checkText, leftOutText, scopeText } from "./print.ts";

const advised = (its: Partial<AdvisedPolicy>): AdvisedPolicy => ({
  namespace: "shop",
  name: "cart-from-traffic",
  selector: {},
  yaml: "",
  rules: [],
  leftOut: [],
  evidence: { calls: 1, lines: 1, complete: true, cut: false },
  ...its,
});
const rule = (paths: number, asSeen: number) => ({
  principals: ["cluster.local/ns/shop/sa/web"],
  operations: [],
  generalised: [{ template: "/cart/{*}", paths, example: "/cart/1" }],
  asSeen,
  probes: false,
  calls: 1,
  firstAt: 0,
  lastAt: 0,
  samples: [],
});
const left = { caller: "shop/web-v1", firstAt: null, lastAt: null, sample: null };

it("says what stands behind a policy, one or many", () => {
  expect(leftOutText(advised({ rules: [rule(1, 1)] }))).toBe(
    `shop/cart-from-traffic: from 1 counted call, which is all of them
  /cart/{*} stands for 1 path such as /cart/1
  1 path of cluster.local/ns/shop/sa/web as seen: any other is refused
`,
  );
  const evidence = { calls: 20, lines: 1, complete: false, cut: false };
  const some = advised({ rules: [rule(3, 2)], evidence, leftOut: [{ ...left, reason: "facts-missing", calls: 2 }] });
  expect(leftOutText(some)).toBe(
    `shop/cart-from-traffic: from 1 access log line of 20 counted calls: what no line shows is not known
  /cart/{*} stands for 3 paths such as /cart/1
  2 paths of cluster.local/ns/shop/sa/web as seen: any other is refused
  left out: 2 calls of shop/web-v1 (port, method or path are not in the access log)
`,
  );
});

const checked = (its: Partial<PolicyCheck>): PolicyCheck => ({
  fromMs: 0,
  toMs: 0,
  evidence: { calls: 1, lines: 1, complete: true, cut: false },
  judged: 1,
  wouldRefuse: 0,
  already: 0,
  undecided: 0,
  missing: [],
  refused: [],
  ...its,
});

it("says what would have been refused, one or many", () => {
  expect(checkText(checked({}))).toBe("would have refused 0 of 1 call\nfrom 1 counted call, which is all of them\n");
  expect(checkText(checked({ judged: 3, wouldRefuse: 1, already: 1, undecided: 1, missing: ["source.ip"] }))).toContain(
    "would have refused 1 of 3 calls\n1 call refused already\ncan't judge 1 call: not recorded is source.ip\n",
  );
});

it("says what a scope saves, of one or many", () => {
  const advice = { fromMs: 0, toMs: 0, namespace: "shop", workload: null, yaml: "", hosts: [] };
  const size = { proxies: 1, before: { clusters: 9, bytes: 900 }, after: { clusters: 1, bytes: 100 } };
  expect(scopeText({ ...advice, size, unknown: [{ host: "a.test", calls: 1 }] })).toBe(
    "1 proxy: 9 → 1 cluster, 900 → 100 bytes\n  left out: a.test of no service, for 1 call\n",
  );
});
