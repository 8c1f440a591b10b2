import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { DashboardError, LoadPlan } from "../contract/index.ts";
import { parse, toldAs } from "./parse.ts";

function refusal(schema: z.ZodType, value: unknown): DashboardError {
  try {
    parse(schema, value);
  } catch (error) {
    if (error instanceof DashboardError) return error;
    throw error;
  }
  throw new Error("it was taken");
}

test("each wrong field is named with its value and what would be right, in words that every language has", () => {
  const plan = { method: "get", url: "productpage", rate: 1e9, durationSec: 0, arrivals: "bursts" };
  const { message, errors = [] } = refusal(LoadPlan, plan);
  expect(errors.map(({ path, reason }) => [path, reason])).toEqual(
    expect.arrayContaining([
      ["method", "asked-method"],
      ["url", "asked-load-url"],
      ["rate", "at-most"],
      ["durationSec", "at-least"],
      ["arrivals", "one-of"],
    ]),
  );
  expect(errors.filter(({ reason }) => reason === undefined)).toEqual([]);
  expect(message).toContain("durationSec: must be at least 1, not 0");
});

test("a field that is not known is named, and one that is missing is required", () => {
  const { errors = [] } = refusal(z.strictObject({ name: z.string() }), { nam: "x" });
  expect(errors.map(({ path, reason }) => [path, reason])).toEqual([
    ["name", "field-required"],
    ["nam", "field-unknown-near"],
  ]);
});

test("every sentence of a schema has a word, by which pages say it in other languages", () => {
  const sentences = ["../contract", "."].flatMap((folder) => {
    const path = join(import.meta.dirname, folder);
    return readdirSync(path)
      .filter((file) => file.endsWith(".ts") && !/^told|\.test\.ts$/.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(path, file), "utf8");
        return text.includes('from "zod"')
          ? [...text.matchAll(/"(must [^"\n]+)"/g)].map(([, sentence]) => sentence ?? "")
          : [];
      });
  });
  expect(sentences.length).toBeGreaterThan(30);
  expect(sentences.filter((sentence) => toldAs(sentence).reason === undefined)).toEqual([]);
});
