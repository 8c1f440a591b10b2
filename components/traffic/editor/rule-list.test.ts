import { expect, it, test } from "vitest";
import { stringify } from "yaml";
import { editText } from "../../config/document/edit-text.ts";
import { readObject } from "../../config/document/read-object.ts";
import {
  addRule,
  deleteRule,
  disabledAnnotation,
  duplicateRule,
  moveRule,
  type RuleListName,
  rulesOf,
  toggleRule,
} from "./rule-list.ts";

const rule = (name: string) => ({ name, route: [{ destination: { host: "reviews" } }] });
const text = (...names: string[]) =>
  stringify({ kind: "VirtualService", metadata: { name: "r" }, spec: { http: names.map(rule) } });
const entries = (yaml: string, list: RuleListName = "http") => {
  const read = readObject(yaml);
  return read.ok ? rulesOf(read.object, list) : [];
};
/** `a -b c`: a minus stands before what is off. */
const shown = (yaml: string) =>
  entries(yaml)
    .map(({ disabled, rule: { name } }) => `${disabled ? "-" : ""}${name}`)
    .join(" ");

it("switches a rule off and on again, at its place", () => {
  const off = editText(text("a", "b", "c"), toggleRule(entries(text("a", "b", "c")), 1));
  expect(shown(off)).toBe("a -b c");
  expect(off).toContain(disabledAnnotation("http"));
  expect(off.split("annotations")[0]).not.toContain("name: b");
  expect(editText(off, toggleRule(entries(off), 1))).toBe(text("a", "b", "c"));
});

it("keeps rules of connections that are off apart from those of requests", () => {
  const before = stringify({
    kind: "VirtualService",
    metadata: { name: "r" },
    spec: { http: [rule("a"), rule("b")], tcp: [{ match: [{ port: 9000 }], route: rule("t").route }] },
  });
  const off = editText(editText(before, toggleRule(entries(before), 0)), toggleRule(entries(before, "tcp"), 0, "tcp"));
  expect(shown(off)).toBe("-a b");
  expect(entries(off, "tcp")).toMatchObject([{ disabled: true, rule: { match: [{ port: 9000 }] } }]);
  expect(off).not.toContain("tcp:");
  const on = editText(editText(off, toggleRule(entries(off), 0)), toggleRule(entries(off, "tcp"), 0, "tcp"));
  expect(on).toBe(before);
});

test("every move in a list with rules that are off ends where it was sent", () => {
  const names = ["a", "b", "c", "d"];
  for (const off of [[], [0], [1], [3], [0, 1], [1, 2], [0, 3]]) {
    let yaml = text(...names);
    for (const at of off) yaml = editText(yaml, toggleRule(entries(yaml), at));
    const before = shown(yaml).split(" ");
    for (let from = 0; from < 4; from++) {
      for (let to = 0; to < 4; to++) {
        const want = before.toSpliced(from, 1).toSpliced(to, 0, before[from] ?? "");
        expect(shown(editText(yaml, moveRule(entries(yaml), from, to)))).toBe(want.join(" "));
      }
    }
  }
});

test("rules beside one that is off are added, copied and taken away", () => {
  const yaml = editText(text("a", "b", "c"), toggleRule(entries(text("a", "b", "c")), 1));
  expect(shown(editText(yaml, addRule(entries(yaml), 0, rule("n"))))).toBe("n a -b c");
  expect(shown(editText(yaml, addRule(entries(yaml), 2, rule("n"))))).toBe("a -b n c");
  expect(shown(editText(yaml, duplicateRule(entries(yaml), 0)))).toBe("a a -b c");
  expect(shown(editText(yaml, duplicateRule(entries(yaml), 1)))).toBe("a -b -b c");
  expect(shown(editText(yaml, deleteRule(entries(yaml), 0)))).toBe("-b c");
  expect(editText(yaml, deleteRule(entries(yaml), 1))).toBe(text("a", "c"));
});

test("an annotation that somebody broke counts as none", () => {
  const yaml = `kind: VirtualService\nmetadata:\n  annotations:\n    ${disabledAnnotation("http")}: "{"\nspec: {http: [{name: a}]}\n`;
  expect(shown(yaml)).toBe("a");
  const far = stringify({
    metadata: { annotations: { [disabledAnnotation("http")]: JSON.stringify([{ at: 9, rule: { name: "z" } }]) } },
    spec: { http: [{ name: "a" }] },
  });
  expect(shown(far)).toBe("a -z");
});
