import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { decodeProtobuf } from "./protobuf.ts";

type Write = (writer: BinaryWriter) => BinaryWriter;
const message = (write: Write): Uint8Array => write(new BinaryWriter()).finish();
const text =
  (number: number, value: string): Write =>
  (writer) =>
    writer.uint32((number << 3) | 2).string(value);
const nested = (number: number, ...parts: Write[]): Write => {
  const content = message((writer) => parts.reduce((into, part) => part(into), writer));
  return (writer) => writer.uint32((number << 3) | 2).bytes(content);
};
const int =
  (number: number, value: number): Write =>
  (writer) =>
    writer.uint32(number << 3).int32(value);

/** `k8s\0` and a runtime.Unknown around the object's fields, as Go clients write it. */
const body = (kind: string, ...object: Write[]): Buffer =>
  Buffer.concat([
    Buffer.from("k8s\0"),
    message((writer) => nested(2, ...object)(nested(1, text(1, "v1"), text(2, kind))(writer))),
  ]);

test("a Service, with what Go writes for unset fields left out", () => {
  const port = nested(
    1,
    text(1, "http"),
    text(2, "TCP"),
    int(3, 80),
    nested(4, int(1, 0), int(2, 8080), text(3, "")),
    int(5, 0),
  );
  const named = nested(1, text(1, "grpc"), int(3, 90), nested(4, int(1, 1), int(2, 0), text(3, "grpc")));
  const metadata = nested(
    1,
    text(1, "web"),
    text(2, ""),
    text(3, "shop"),
    nested(11, text(1, "app"), text(2, "web")),
    nested(8),
  );
  const selector = nested(2, text(1, "app"), text(2, "web"));
  expect(
    decodeProtobuf(body("Service", metadata, nested(2, port, named, selector, text(3, ""), text(4, "ClusterIP")))),
  ).toEqual({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "shop", labels: { app: "web" } },
    spec: {
      ports: [
        { name: "http", protocol: "TCP", port: 80, targetPort: 8080 },
        { name: "grpc", port: 90, targetPort: "grpc" },
      ],
      selector: { app: "web" },
      type: "ClusterIP",
    },
  });
});

test.each([
  ["no magic", Buffer.from("{}"), "does not begin with k8s"],
  ["another kind", body("Pod"), "Pod (v1) is only read as JSON or YAML"],
  ["an unknown field", body("Namespace", nested(1, text(99, "x"))), "the field 99"],
  ["half of it", body("Namespace", nested(1, text(1, "shop"))).subarray(0, 20), "no protobuf that can be read"],
])("%s is a bad request", (_, bytes, message) => {
  expect(() => decodeProtobuf(bytes)).toThrow(
    expect.objectContaining({ code: 400, message: expect.stringContaining(message) }),
  );
});
