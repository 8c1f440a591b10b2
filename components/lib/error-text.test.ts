import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { IntlProvider } from "use-intl";
import { expect, test } from "vitest";
import en from "../../messages/en.json" with { type: "json" };
import zh from "../../messages/zh-CN.json" with { type: "json" };
import { told } from "../../server/contract/index.ts";
import { type Said, useErrorText } from "./error-text.ts";

function Shown({ error }: { error: Said }) {
  return createElement("p", null, useErrorText()(error));
}

function shownIn(locale: "en" | "zh-CN", error: Said): string {
  const messages = locale === "en" ? en : (zh as unknown as typeof en);
  const page = createElement(
    IntlProvider,
    { locale, messages, timeZone: "UTC" } as never,
    createElement(Shown, { error }),
  );
  return renderToStaticMarkup(page).replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">");
}

test("what a server tells is put into the reader's language by its word, values as they are", () => {
  const sum = told("weights-sum", { sum: 90 });
  expect(shownIn("en", sum)).toBe("<p>must sum to 100, not 90</p>");
  expect(shownIn("zh-CN", sum)).toContain("100");
  expect(shownIn("zh-CN", sum)).toMatch(/\p{Script=Han}/u);
  const form = told("form", { forms: "<name>, <namespace>/<name>", value: '"a/*"' });
  expect(shownIn("zh-CN", form)).toBe('<p>格式必须如 <name>, <namespace>/<name>，而不是 "a/*"</p>');
});

test("what has no word is said to be the server's own", () => {
  expect(shownIn("en", { message: "odd" })).toBe("<p>odd</p>");
  expect(shownIn("zh-CN", { message: "odd", reason: "of-a-newer-server" })).toMatch(/^<p>\p{Script=Han}.*odd.*<\/p>$/u);
});

test("what is wrong with several fields is told field by field", () => {
  const errors = [
    { path: "rate", ...told("at-most", { maximum: 1000, value: "5000" }) },
    { path: "url", ...told("asked-load-url", {}) },
  ];
  const error = { message: "rate: must be …", errors };
  expect(shownIn("en", error)).toBe("<p>rate: must be …</p>");
  expect(shownIn("zh-CN", error)).toMatch(/^<p>rate: .*1000.*\p{Script=Han}?.*; url: \p{Script=Han}.*<\/p>$/u);
});
