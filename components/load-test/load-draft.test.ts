import { expect, it } from "vitest";
import { LoadPlan, type LoadTarget } from "../../server/contract/index.ts";
import { chosenTarget, draftOf, planOf, targetKey, usualDraft } from "./load-draft.ts";

const target = (name: string, origin: string): LoadTarget => ({
  ...{ kind: "gateway", namespace: "default", name, origin },
  ...{ protocols: ["http1", "http2"], hosts: ["bookinfo.local"] },
});
const plain = target("gw", "http://127.0.0.1:8080");
const secure = target("gw", "https://127.0.0.1:8443");

it("the first target is meant until another one is chosen, and none that is gone", () => {
  expect(chosenTarget([plain, secure], usualDraft)).toBe(plain);
  expect(chosenTarget([plain, secure], { ...usualDraft, target: targetKey(secure) })).toBe(secure);
  expect(chosenTarget([plain], { ...usualDraft, target: targetKey(secure) })).toBeUndefined();
});

it("a form becomes a plan that the server takes, and that plan the same form again", () => {
  const draft = {
    ...{ ...usualDraft, target: targetKey(secure), host: "bookinfo.local", path: "productpage?u=1" },
    ...{ headers: "x-a: 1\n\ncookie: a=b; c=d", method: "POST", body: "x", rate: "12.5" },
  };
  const plan = LoadPlan.parse(planOf(draft, secure));
  expect(plan).toMatchObject({
    url: "https://127.0.0.1:8443/productpage?u=1",
    headers: { host: "bookinfo.local", "x-a": "1", cookie: "a=b; c=d" },
    rate: 12.5,
    insecure: true,
  });
  expect(LoadPlan.parse(planOf(draftOf(plan, [plain, secure]), secure))).toEqual(plan);
});

it("a line that is no further request is refused at its method", () => {
  const read = LoadPlan.safeParse(planOf({ ...usualDraft, also: "3 GET /cart\nGET /a b" }, plain));
  expect(read.error?.issues[0]?.path).toEqual(["also", 1, "method"]);
});

it("a line that is no header is refused at the headers", () => {
  const read = LoadPlan.safeParse(planOf({ ...usualDraft, headers: "no colon" }, plain));
  expect(read.error?.issues[0]?.path[0]).toBe("headers");
});
