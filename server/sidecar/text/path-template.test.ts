import { describe, expect, it } from "vitest";
import { compilePathTemplate } from "./path-template.ts";

describe("a path template", () => {
  it.each<[string, string[], string[]]>([
    ["/a/*/b", ["/a/x/b", "/a/x.y~%20/b"], ["/a/b", "/a/x/y/b", "/a//b", "/a/x/b/", "/a/*/b"]],
    ["/a/**", ["/a/", "/a/x", "/a/x/y/"], ["/a", "/b/x", "/aa/x"]],
    ["/a/**/z", ["/a/x/z", "/a/x/y/z", "/a//z"], ["/a/z/x", "/a/x/zz"]],
    ["/{id}/x/{rest=**}", ["/1/x/", "/1/x/2/3"], ["/x/1", "//x/"]],
    ["/a.b/", ["/a.b/"], ["/acb/", "/a.b"]],
    ["/", ["/"], ["/a", ""]],
  ])("%s", (template, met, missed) => {
    const test = compilePathTemplate(template);
    expect(met.filter((path) => !test(path))).toEqual([]);
    expect(missed.filter(test)).toEqual([]);
  });

  it.each(["a", "/**/*", "/a*", "/{1}", "/{a=b}", "/a//b", "/<x>"])("%s is refused", (template) => {
    expect(() => compilePathTemplate(template)).toThrow(/"/);
  });

  it("takes no time that grows faster than the path", () => {
    const test = compilePathTemplate("/**/z");
    expect(test(`/${"a/".repeat(100_000)}`)).toBe(false);
  });
});
