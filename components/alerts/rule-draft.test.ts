import { expect, it } from "vitest";
import { alertRule } from "../../server/config/kinds/alert-rule.ts";
import { conditions, draftOfRule, ruleText, specOfDraft, usualRule } from "./rule-draft.ts";

const item = { namespace: "default", name: "mine", builtIn: false, meshWide: false, resourceVersion: "7", active: 0 };

it("says of every condition what an AlertRule takes, and reads it back", () => {
  for (const condition of conditions) {
    const draft = { ...usualRule, name: "mine", condition, rateBelow: 1, receivers: ["team"] };
    const spec = specOfDraft(draft, undefined);
    const text = JSON.parse(ruleText({ ...item, resourceVersion: null }, spec));
    expect(alertRule.parse(text)).toMatchObject({ ok: true });
    const { condition: read } = draftOfRule({ ...item, spec });
    expect(read).toBe(condition);
    expect(specOfDraft(draftOfRule({ ...item, spec }), spec)).toEqual(spec);
  }
});

it("keeps what it has no field for, and names no service where none can be", () => {
  const before = { when: { errors: { above: 5 } }, mutedUntil: "2026-11-30T00:00:00Z", service: "reviews" };
  const draft = draftOfRule({ ...item, spec: before });
  expect(specOfDraft(draft, before)).toMatchObject({ mutedUntil: before.mutedUntil, service: "reviews" });
  expect(specOfDraft({ ...draft, condition: "proxies" }, before)).not.toHaveProperty("service");
  expect(JSON.parse(ruleText(item, before)).metadata.resourceVersion).toBe("7");
});
