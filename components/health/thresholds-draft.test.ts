import { expect, it } from "vitest";
import { healthThresholds } from "../../server/contract/index.ts";
import { draftOf, isUnchanged, thresholdsOf } from "./thresholds-draft.ts";

it("shows percents and milliseconds, and writes only what is the object's own", () => {
  const own = { errors: { degraded: 0.001, failing: 0.05 } };
  const draft = draftOf(own, healthThresholds);
  expect(draft.errors).toEqual({ own: true, degraded: 0.1, failing: 5 });
  expect(draft.latencyMsP95).toEqual({ own: false, degraded: 1000, failing: 5000 });
  expect(thresholdsOf(draft)).toEqual(own);
});

it("writes nothing while a field is empty", () => {
  const draft = draftOf({}, healthThresholds);
  expect(thresholdsOf({ ...draft, errors: { own: true, degraded: "", failing: 5 } })).toBeNull();
  expect(thresholdsOf(draft)).toEqual({});
});

it("knows what is so already: saving that would write nothing", () => {
  const settings = { own: {}, usual: healthThresholds };
  const draft = draftOf({}, healthThresholds);
  expect(isUnchanged(draft, settings)).toBe(true);
  // Not looked at while the box is not ticked.
  expect(isUnchanged({ ...draft, errors: { ...draft.errors, degraded: 7 } }, settings)).toBe(true);
  expect(isUnchanged({ ...draft, errors: { ...draft.errors, own: true } }, settings)).toBe(false);
});
