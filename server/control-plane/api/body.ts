import { readValueAside } from "../../config/kinds/yaml-aside.ts";
import { YamlLimitError, type YamlLimits } from "../../lib/yaml/read-yaml.ts";
import { decodeProtobuf, protobufType } from "./kubernetes/protobuf.ts";
import { badRequest, StatusError } from "./status-error.ts";

const maxDepth = 64;

/** Plain data from a JSON, YAML or Kubernetes protobuf body. Throws 400 on a syntax error. */
export async function decodeBody(body: Buffer, contentType: string): Promise<unknown> {
  const value = await decode(body, contentType);
  checkPlain(value, 0);
  return value;
}

/** Like `decodeBody`; throws 400 when it is no object. */
export async function decodeObject(body: Buffer, contentType: string): Promise<Record<string, unknown>> {
  const value = await decodeBody(body, contentType);
  if (!isRecord(value)) throw badRequest("the body must be an object");
  return value;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

async function decode(body: Buffer, contentType: string): Promise<unknown> {
  if (contentType === protobufType) return decodeProtobuf(body);
  const text = decodeText(body);
  return contentType.endsWith("yaml") ? decodeYaml(text) : decodeJson(text);
}

/** What is no UTF-8 would be stored as question marks. */
function decodeText(body: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw badRequest("the body is no valid UTF-8");
  }
}

function decodeJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`the body is no valid JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** YAML takes microseconds a byte: a body of this size some seconds, in a thread of its own. */
const yamlLimits: YamlLimits = { bytes: 3 * 1024 * 1024, depth: maxDepth, values: 200_000 };

async function decodeYaml(body: string): Promise<unknown> {
  if (/^\s*\{/.test(body)) {
    try {
      return JSON.parse(body); // what kubectl sends as YAML, and much quicker to read so
    } catch {
      // YAML's own flow style
    }
  }
  try {
    return await readValueAside(body, yamlLimits);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof YamlLimitError)
      throw new StatusError(413, "RequestEntityTooLarge", `the body, as YAML, ${message}`);
    throw badRequest(`the body is no valid YAML: ${message}`);
  }
}

/** Merging writes keys into objects: a key `__proto__` would reach the prototype. And deep nesting would overflow the stack. */
function checkPlain(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth > maxDepth) throw badRequest(`the body is nested deeper than ${maxDepth} levels`);
  for (const key of Object.keys(value)) {
    if (key === "__proto__") throw badRequest("the key __proto__ is not allowed");
    checkPlain((value as Record<string, unknown>)[key], depth + 1);
  }
}
