import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createTranslator } from "use-intl/core";
import { expect, it } from "vitest";
import pages from "../messages/en.json" with { type: "json" };
import zh from "../messages/zh-CN.json" with { type: "json" };
import { toldInEnglish } from "../server/contract/index.ts";

/** What a server tells is in English there already. */
const en = { ...pages, told: toldInEnglish };

const flat = (value: unknown, path = ""): [string, string][] =>
  typeof value === "string"
    ? [[path, value]]
    : Object.entries(value as object).flatMap(([key, inner]) => flat(inner, path ? `${path}.${key}` : key));
const placeholders = (text: string) =>
  [...text.matchAll(/\{(\w+)\s*[,}]|<(\w+)>/g)].map((match) => match[1] ?? match[2]).toSorted();

it("has the same keys in every language", () => {
  const keys = (messages: object) => flat(messages).map(([key]) => key);
  const { told, ...ofPages } = zh;
  expect(keys(ofPages)).toEqual(keys(pages));
  expect(keys(told).toSorted()).toEqual(Object.keys(toldInEnglish).toSorted());
});

it("has the same placeholders in every language", () => {
  const other = new Map(flat(zh));
  for (const [key, text] of flat(en)) {
    expect([key, new Set(placeholders(other.get(key) ?? ""))]).toEqual([key, new Set(placeholders(text))]);
  }
});

it("writes an ellipsis in one way of each language", () => {
  const wrong = (messages: object, form: RegExp) => flat(messages).filter(([, text]) => form.test(text));
  expect(wrong(pages, /\S…$|\.{3}/)).toEqual([]);
  expect(wrong(zh, /……|\s…$|\.{3}/)).toEqual([]);
});

it("holds messages that parse", () => {
  for (const [locale, messages] of [
    ["en", en],
    ["zh-CN", zh],
  ] as const) {
    const failed: string[] = [];
    const translate = createTranslator({ locale, messages, onError: (error) => failed.push(error.message) });
    const values = new Proxy({}, { get: () => 1, has: () => true, ownKeys: () => [] });
    for (const [key, text] of flat(messages)) {
      const tags = new Set([...text.matchAll(/<(\w+)>/g)].map((match) => match[1]));
      const given = Object.fromEntries(placeholders(text).map((name) => [name, tags.has(name) ? () => "x" : 1]));
      (translate.rich as unknown as (key: string, values: object) => unknown)(key, { ...values, ...given });
    }
    expect(failed).toEqual([]);
  }
});

it("holds no key that nothing reads", () => {
  const root = join(import.meta.dirname, "..");
  const source = ["app", "components"]
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(root, folder, file)),
    )
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  // A key is read whole, or put together from its beginning and a value: `label-${kind}`.
  const whole = new Set([...source.matchAll(/"([^"\n]*)"/g)].map(([, text]) => text?.split(".").at(-1)));
  const begun = new Set([...source.matchAll(/`([\w-]+)-\$\{/g)].map(([, beginning]) => beginning));
  const isRead = (key: string) =>
    whole.has(key) || key.split("-").some((_, count, parts) => count > 0 && begun.has(parts.slice(0, count).join("-")));
  // Health, kinds, pages and what a server tells are read by the contract's own words.
  const byValue = /^(ui\.health|nav|told|settings\.retention\.of)\./;
  const unread = flat(en).filter(([key]) => !byValue.test(key) && !isRead(key.split(".").at(-1) ?? ""));
  expect(unread.map(([key]) => key)).toEqual([]);
});
