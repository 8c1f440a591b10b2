import { expect, it } from "vitest";
import { lineOfField } from "./yaml-line.ts";

const yaml = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  http:
    - match:
        - headers:
            end-user:
              exact: jason
        - uri:
            prefix: /beta
      route:
        - destination:
            host: reviews
    - route:
        - destination:
            host: reviews
  subsets:
    - name: v1
    - name: v2
  portLevelMtls:
    "9080":
      mode: STRICT
    8080:
      mode: DISABLE
`;

it.each([
  ["http[0]", 7],
  ["http[0].match[0]", 8],
  ["http[0].match[1]", 11],
  ["http[0].match[1].uri.prefix", 12],
  ["http[1]", 16],
  ["subsets[v2]", 21],
  ["portLevelMtls.9080", 24],
  ["portLevelMtls.8080", 26],
  ["", 4],
  ["http[7]", null],
  ["tcp[0]", null],
])("finds the line of %s", (path, line) => {
  expect(lineOfField(yaml, path)).toBe(line);
});
