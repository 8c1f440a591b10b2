import { expect, it } from "vitest";
import { blamedPlace, lineOfRule, pathOf } from "./yaml-place.ts";

const yaml = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: details
spec:
  hosts:
    - details
  http:
    - name: first
      route:
        - destination:
            host: details
    - match:
        - uri:
            exact: /health
        - uri:
            regex: ^/[a-z]{1,200}$
          headers:
            x-user:
              regex: "a'b: c"
      route:
        - destination:
            host: details
`;

it("finds the value that a proxy quotes, and names the field", () => {
  expect(blamedPlace(yaml, "regex '^/[a-z]{1,200}$' RE2 program size of 1703 > max program size of 100")).toEqual({
    line: 17,
    path: "http[1].match[1].uri.regex",
  });
  expect(blamedPlace(yaml, 'x: "a\'b: c" is bad')).toEqual({ line: 20, path: "http[1].match[1].headers.x-user.regex" });
});

it("finds a value that is named without quotes, where it stands once", () => {
  const gateway = "spec:\n  servers:\n    - tls:\n        minProtocolVersion: TLSV1_0\n        mode: SIMPLE\n";
  const complaint = "filter_chains[0].tls_params.tls_minimum_protocol_version: TLSv1_0 is not supported";
  expect(blamedPlace(gateway, complaint)).toEqual({ line: 4, path: "servers[0].tls.minProtocolVersion" });
  expect(blamedPlace(`${gateway}    - tls:\n        minProtocolVersion: TLSV1_0\n`, complaint)).toBeNull();
});

it("finds an item of a plain list", () => {
  expect(blamedPlace(yaml, "unknown host 'details'")).toEqual({ line: 7, path: "hosts[0]" });
});

it("doesn't guess", () => {
  expect(blamedPlace(yaml, "no such cluster")).toBeNull();
  expect(blamedPlace(yaml, "field 'nothing like it'")).toBeNull();
  // The head of the object is not what a proxy was sent.
  expect(blamedPlace(yaml, "'VirtualService'")).toBeNull();
});

it("counts the items of the list that a line is in, and of no other", () => {
  const lines = yaml.split("\n");
  expect(pathOf(lines, 8)).toBe("http[0].name");
  expect(pathOf(lines, 23)).toBe("http[1].route[0].destination.host");
});

it("finds the line of a rule", () => {
  const rules =
    "spec:\n  http:\n    - match:\n        - uri:\n            exact: /a\n        - headers:\n            x: {}\n    - route: []\n  tcp:\n    - route: []\n";
  expect(lineOfRule(rules, "http[0]")).toBe(3);
  expect(lineOfRule(rules, "http[0].match[0]")).toBe(4);
  expect(lineOfRule(rules, "http[0].match[1]")).toBe(6);
  expect(lineOfRule(rules, "http[1]")).toBe(8);
  expect(lineOfRule(rules, "tcp[0]")).toBe(10);
  expect(lineOfRule(rules, "http[2]")).toBeNull();
});

it("finds the last of very many rules", () => {
  const rules = Array.from({ length: 10_000 }, (_, i) => `    - name: rule-${i}\n      timeout: 1s\n`).join("");
  expect(lineOfRule(`spec:\n  http:\n${rules}`, "http[9999].timeout")).toBe(20_002);
});
