import { createTranslator } from "use-intl/core";
import { expect, it } from "vitest";
import en from "../../messages/en.json" with { type: "json" };
import zh from "../../messages/zh-CN.json" with { type: "json" };
import type { ChangeWord } from "../../server/contract/index.ts";
import { type ChangeTranslator, changeText } from "./change-text.ts";

const translator = (locale: string, messages: typeof en): ChangeTranslator =>
  createTranslator({ locale, messages, namespace: "change" }) as unknown as ChangeTranslator;
const [english, chinese] = [translator("en", en), translator("zh-CN", zh as unknown as typeof en)];

const cases: [ChangeWord[], string, string][] = [
  [
    [{ code: "shift", service: "reviews", before: "80/20/0", after: "70/20/10" }],
    "reviews 80/20/0 → 70/20/10",
    "reviews 80/20/0 → 70/20/10",
  ],
  [
    [
      { code: "undo", revision: 1234 },
      { code: "shift", service: "reviews", before: "0/100", after: null },
      { code: "fault-end", service: "ratings" },
    ],
    "undo of 1234: reviews 0/100 → all versions, fault on ratings ended",
    "撤销 1234：reviews 0/100 → 所有版本，ratings 的故障已结束",
  ],
  [
    [
      {
        code: "fault-start",
        service: "ratings",
        delay: { percentage: 10, time: "2s" },
        abort: { percentage: 50, status: null },
      },
    ],
    "fault on ratings: 10 % 2 s late and 50 % aborted",
    "ratings 的故障：10 % 延迟 2 s，50 % 被中止",
  ],
  [
    [
      { code: "objects", type: "ADDED", count: 2, names: ["Gateway a", "Service b"] },
      { code: "objects", type: "DELETED", count: 40, names: [] },
    ],
    "created Gateway a, Service b, deleted 40 objects",
    "创建了 Gateway a、Service b，删除了 40 个对象",
  ],
  [
    [{ code: "canary", canary: "a", event: "step", version: "v3", weight: 10 }],
    "canary a: v3 gets 10 %",
    "金丝雀 a：v3 占 10 %",
  ],
  [[{ code: "fault-over", service: "a" }], "fault on a ended: its time is over", "a 的故障已结束：时间已到"],
  [[{ code: "split", service: "a", after: "50/50" }], "a → 50/50", "a → 50/50"],
  [
    [
      { code: "restore", revision: 42 },
      { code: "objects", type: "MODIFIED", count: 1, names: ["Gateway a"] },
    ],
    "restore of 42: changed Gateway a",
    "恢复到 42：修改了 Gateway a",
  ],
  [[{ code: "design", design: "usual-alerts" }], "design usual-alerts", "设计 usual-alerts"],
  [[{ code: "limpid", what: "demo" }], "the Bookinfo demo", "Bookinfo 演示应用"],
  [[{ code: "own", text: "canary of Tuesday" }], "canary of Tuesday", "canary of Tuesday"],
];

it.each(cases)("%j", (words, inEnglish, inChinese) => {
  expect([changeText(words, english), changeText(words, chinese)]).toEqual([inEnglish, inChinese]);
});
