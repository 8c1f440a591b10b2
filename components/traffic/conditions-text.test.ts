import { createTranslator } from "use-intl/core";
import { expect, it } from "vitest";
import en from "../../messages/en.json" with { type: "json" };
import zh from "../../messages/zh-CN.json" with { type: "json" };
import { describeMatch } from "../../server/config/edits/describe.ts";
import type { HTTPMatchRequest } from "../../server/config/kinds/index.ts";
import { conditionsOf } from "../../server/contract/index.ts";
import { type ConditionTranslator, conditionsText } from "./conditions-text.ts";

const translator = (locale: string, messages: typeof en): ConditionTranslator =>
  createTranslator({ locale, messages, namespace: "condition" }) as unknown as ConditionTranslator;
const [english, chinese] = [translator("en", en), translator("zh-CN", zh as unknown as typeof en)];

const cases: [HTTPMatchRequest, string][] = [
  [{}, "全部请求"],
  [{ uri: { prefix: "/api" }, ignoreUriCase: true }, "路径 前缀为 /api（不区分大小写）"],
  [{ headers: { "end-user": { exact: "jason" } }, method: { exact: "GET" } }, "方法 = GET 且 请求头 end-user = jason"],
  [{ headers: { cookie: {} } }, "有请求头 cookie"],
  [{ withoutHeaders: { a: {}, b: { regex: "x.*" } } }, "没有请求头 a 且 非（请求头 b 匹配 x.*）"],
  [{ queryParams: { v: { exact: "2" } }, port: 9080 }, "查询参数 v = 2 且 端口 9080"],
  [
    { sourceLabels: { app: "reviews", version: "v3", tier: "gold" }, sourceNamespace: "default" },
    "来自命名空间 default 的 reviews v3, tier=gold",
  ],
  [{ sourceNamespace: "default" }, "来自命名空间 default"],
  [{ gateways: ["mesh", "default/shop"] }, "经由 mesh 或 default/shop"],
];

it.each(cases)("%j", (match, inChinese) => {
  const conditions = [conditionsOf(match)];
  const plain = (text: string) => text.replace(/,? or /g, " or ");
  expect(plain(conditionsText(conditions, english))).toBe(describeMatch(match));
  expect(conditionsText(conditions, chinese)).toBe(inChinese);
});

it("joins alternatives, and says of none that it is every request", () => {
  const [a, b] = [conditionsOf({ port: 1 }), conditionsOf({ port: 2 })];
  expect(conditionsText([a, b], english)).toBe("port 1, or port 2");
  expect(conditionsText([a, b], chinese)).toBe("端口 1 或 端口 2");
  expect(conditionsText([], english)).toBe("every request");
});
