import { expect, it, vi } from "vitest";

vi.mock("next/headers", () => ({ cookies: () => {}, headers: () => {} }));
const { preferredLocale } = await import("./intl.ts");

it.each([
  ["", "en"],
  ["zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"],
  ["en-GB,en;q=0.9,zh;q=0.8", "en"],
  ["de-DE,de;q=0.9,zh-TW;q=0.5,en;q=0.3", "zh-CN"],
  ["en;q=0.2, zh;q=0.7", "zh-CN"],
  ["zh;q=0, en;q=0.1", "en"],
  ["fr", "en"],
])("understands %j as %s", (header, locale) => expect(preferredLocale(header)).toBe(locale));
