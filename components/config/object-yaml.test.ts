import { expect, it } from "vitest";
import { withoutFilledIn } from "../../server/contract/index.ts";
import { createdAt, withVersion } from "./object-yaml.ts";

const stored = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  uid: 4ca8a073
  creationTimestamp: 2026-11-23T15:43:53Z
  generation: 1
  resourceVersion: "11"
spec:
  generation: kept
`;
const plain = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  generation: kept
`;

it("leaves out what the store fills in, in the metadata only", () => expect(withoutFilledIn(stored)).toBe(plain));

it("knows when it was made", () => {
  expect(createdAt(stored)).toBe(Date.UTC(2026, 10, 23, 15, 43, 53));
  expect(createdAt(plain)).toBeNull();
});

it("says against which version a change was made", () => {
  const { yaml, insertedLine } = withVersion(plain, "11");
  expect(insertedLine).toBe(4);
  expect(yaml.split("\n")[3]).toBe('  resourceVersion: "11"');
});

it("sends as written what it does not understand", () => {
  for (const text of [`${plain}---\n${plain}`, stored, "metadata: {name: a}\n", ""])
    expect(withVersion(text, "11")).toEqual({ yaml: text, insertedLine: null });
  expect(withVersion(plain, null).yaml).toBe(plain);
});

it("keeps what kubectl remembers out of sight, and other annotations in it", () => {
  const yaml = (annotations: string) =>
    `apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n${annotations}  namespace: default\nspec:\n  type: ClusterIP\n`;
  const remembered = '    kubectl.kubernetes.io/last-applied-configuration: >\n      {"kind":"Service"}\n\n';
  expect(withoutFilledIn(yaml(`  annotations:\n${remembered}`))).toBe(yaml(""));
  expect(withoutFilledIn(yaml(`  annotations:\n    team: a\n${remembered}`))).toBe(
    yaml("  annotations:\n    team: a\n"),
  );
  expect(withoutFilledIn(yaml(`  annotations:\n${remembered}    team: a\n`))).toBe(
    yaml("  annotations:\n    team: a\n"),
  );
});
