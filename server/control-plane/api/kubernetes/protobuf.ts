import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import { badRequest } from "../status-error.ts";

export const protobufType = "application/vnd.kubernetes.protobuf";

/**
 * Core objects in Kubernetes' own encoding, which `kubectl create namespace` and `kubectl create service` send whatever the server prefers:
 * `k8s\0`, then a runtime.Unknown with the object inside. Field numbers are those of k8s.io/api/core/v1/generated.proto.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 * Throws 400 when it can't be read, or has a field that isn't known here: nothing is dropped unseen.
 */
export function decodeProtobuf(body: Buffer): unknown {
  if (!body.subarray(0, 4).equals(magic)) throw unreadable("it does not begin with k8s\\0");
  try {
    const { typeMeta, raw } = readMessage(unknownSchema, body.subarray(4)) as {
      typeMeta?: { apiVersion?: string; kind?: string };
      raw?: Uint8Array;
    };
    const { apiVersion, kind = "" } = typeMeta ?? {};
    const schema = apiVersion === "v1" ? objectSchemas[kind] : reviewSchemas[`${apiVersion}/${kind}`];
    if (schema === undefined)
      throw unreadable(`${typeMeta?.kind} (${typeMeta?.apiVersion}) is only read as JSON or YAML`);
    return { ...typeMeta, ...readMessage(schema, raw ?? new Uint8Array()) };
  } catch (error) {
    if (error instanceof RangeError || (error instanceof Error && error.constructor === Error)) {
      throw unreadable(error.message);
    }
    throw error;
  }
}

const magic = Buffer.from("k8s\0");
const unreadable = (why: string) => badRequest(`the body is no protobuf that can be read here: ${why}`);

type Field =
  | {
      name: string;
      type: "string" | "bytes" | "int" | "bool" | "map" | "bytesMap" | "skip" | "intOrString";
      list?: true;
    }
  | { name: string; type: Schema; list?: true };
interface Schema {
  [field: number]: Field;
}

const text = (name: string): Field => ({ name, type: "string" });
const texts = (name: string): Field => ({ name, type: "string", list: true });
const int = (name: string): Field => ({ name, type: "int" });
const map = (name: string): Field => ({ name, type: "map" });
const skip = (name: string): Field => ({ name, type: "skip" });

const unknownSchema: Schema = {
  1: { name: "typeMeta", type: { 1: text("apiVersion"), 2: text("kind") } },
  2: { name: "raw", type: "bytes" },
  3: text("contentEncoding"),
  4: text("contentType"),
};

const metaSchema: Schema = {
  1: text("name"),
  2: text("generateName"),
  3: text("namespace"),
  4: skip("selfLink"),
  5: text("uid"),
  6: text("resourceVersion"),
  7: skip("generation"),
  8: skip("creationTimestamp"),
  11: map("labels"),
  12: map("annotations"),
  14: texts("finalizers"),
};

const portSchema: Schema = {
  1: text("name"),
  2: text("protocol"),
  3: int("port"),
  4: { name: "targetPort", type: "intOrString" },
  5: int("nodePort"),
  6: text("appProtocol"),
};

const objectSchemas: Record<string, Schema> = {
  Namespace: {
    1: { name: "metadata", type: metaSchema },
    2: { name: "spec", type: { 1: texts("finalizers") } },
    3: skip("status"),
  },
  Service: {
    1: { name: "metadata", type: metaSchema },
    2: {
      name: "spec",
      type: {
        1: { name: "ports", type: portSchema, list: true },
        2: map("selector"),
        3: text("clusterIP"),
        4: text("type"),
        5: texts("externalIPs"),
        7: text("sessionAffinity"),
        8: text("loadBalancerIP"),
        10: text("externalName"),
        11: text("externalTrafficPolicy"),
        12: int("healthCheckNodePort"),
        13: { name: "publishNotReadyAddresses", type: "bool" },
        18: texts("clusterIPs"),
      },
    },
    3: skip("status"),
  },
  Secret: {
    1: { name: "metadata", type: metaSchema },
    2: { name: "data", type: "bytesMap" },
    3: text("type"),
    4: map("stringData"),
    5: { name: "immutable", type: "bool" },
  },
};

const asked: Schema = {
  1: {
    name: "resourceAttributes",
    type: {
      1: text("namespace"),
      2: text("verb"),
      3: text("group"),
      4: text("version"),
      5: text("resource"),
      6: text("subresource"),
      7: text("name"),
      8: skip("fieldSelector"),
      9: skip("labelSelector"),
    },
  },
  2: { name: "nonResourceAttributes", type: { 1: text("path"), 2: text("verb") } },
};
const review = (spec: Schema): Schema => ({
  1: { name: "metadata", type: metaSchema },
  2: { name: "spec", type: spec },
  3: skip("status"),
});
const ofOthers = review({ ...asked, 3: text("user"), 4: texts("groups"), 5: skip("extra"), 6: text("uid") });

/** What `kubectl auth can-i` and `whoami` send; the field numbers are of k8s.io/api/authorization/v1/generated.proto. */
const reviewSchemas: Record<string, Schema> = {
  "authorization.k8s.io/v1/SelfSubjectAccessReview": review(asked),
  "authorization.k8s.io/v1/SelfSubjectRulesReview": review({ 1: text("namespace") }),
  "authorization.k8s.io/v1/SubjectAccessReview": ofOthers,
  "authorization.k8s.io/v1/LocalSubjectAccessReview": ofOthers,
  "authentication.k8s.io/v1/SelfSubjectReview": { 1: { name: "metadata", type: metaSchema }, 2: skip("status") },
};

/** Empty texts, zeros and false are how Go writes what is unset: they are left out. */
function readMessage(schema: Schema, bytes: Uint8Array): Record<string, unknown> {
  const reader = new BinaryReader(bytes);
  const result: Record<string, unknown> = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = schema[number];
    if (field === undefined) throw unreadable(`it has the field ${number}, which is not supported`);
    const value = readField(field, reader, wireType);
    if (value === undefined || value === "" || value === 0 || value === false) continue;
    if (field.list) result[field.name] = [...((result[field.name] as unknown[]) ?? []), value];
    else if (field.type === "map" || field.type === "bytesMap")
      result[field.name] = { ...(result[field.name] as object), ...(value as object) };
    else result[field.name] = value;
  }
  return result;
}

function readField(field: Field, reader: BinaryReader, wireType: WireType): unknown {
  switch (field.type) {
    case "string":
      return reader.string();
    case "bytes":
      return reader.bytes();
    case "int":
      return Number(reader.int64());
    case "bool":
      return reader.bool();
    case "skip":
      reader.skip(wireType);
      return undefined;
    case "map": {
      const { key = "", value = "" } = readMessage({ 1: text("key"), 2: text("value") }, reader.bytes());
      return { [String(key)]: value };
    }
    case "bytesMap": {
      const entry = readMessage({ 1: text("key"), 2: { name: "value", type: "bytes" } }, reader.bytes());
      const { key = "", value = new Uint8Array() } = entry as { key?: string; value?: Uint8Array };
      return { [key]: Buffer.from(value).toString("base64") };
    }
    case "intOrString": {
      const {
        type,
        number,
        text: name,
      } = readMessage({ 1: int("type"), 2: int("number"), 3: text("text") }, reader.bytes());
      return type === 1 ? name : number;
    }
    default:
      return readMessage(field.type, reader.bytes());
  }
}
