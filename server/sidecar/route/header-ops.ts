import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOption,
} from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { isHeaderName, isHeaderValue } from "../../lib/http-chars.ts";
import { at, each, together } from "../config/problems.ts";
import { compileFormat, type Format, renderText } from "../format/format.ts";
import { type FlatHeaders, getHeader, removeHeader, setHeader, toWire } from "../http/headers.ts";
import type { RequestRecord } from "../record.ts";

/** One change to a header list. `action` undefined removes. */
export interface HeaderOp {
  readonly name: string;
  readonly action: AppendAction | undefined;
  /** Text that is the same for every request, or what to compute. */
  readonly value: string | Format;
  readonly keepEmpty: boolean;
}

/** Removals come after additions, as Envoy's header parser does it. */
export function compileHeaderOps(
  of: "request" | "response",
  add: readonly HeaderValueOption[],
  remove: readonly string[],
): readonly HeaderOp[] {
  if (add.length === 0 && remove.length === 0) return none;
  const { added, removed } = together<Record<"added" | "removed", HeaderOp[]>>({
    added: () => each(`${of}_headers_to_add`, add, compileAdd),
    removed: () => each(`${of}_headers_to_remove`, remove, compileRemove),
  });
  return [...added, ...removed];
}

export function compileAdd(option: HeaderValueOption): HeaderOp {
  const header = option.header;
  if (header === undefined) throw new Error("header: required");
  return {
    name: at("header.key", () => mutableName(header.key)),
    action: option.append === undefined ? option.appendAction : appendAction(option.append),
    value: at("header.value", () => compileValue(header.value)),
    keepEmpty: option.keepEmptyValue,
  };
}

export const compileRemove = (name: string): HeaderOp => ({
  name: mutableName(name),
  action: undefined,
  value: "",
  keepEmpty: false,
});

export function applyHeaderOps(ops: readonly HeaderOp[], headers: FlatHeaders, record: RequestRecord): void {
  for (const op of ops) applyOne(op, headers, record);
}

function applyOne(op: HeaderOp, headers: FlatHeaders, record: RequestRecord): void {
  if (op.action === undefined) {
    removeHeader(headers, op.name);
    return;
  }
  const value = typeof op.value === "string" ? op.value : renderText(op.value, record, "");
  // A computed value may hold anything; one that could split the message is not written.
  if (!isHeaderValue(value) || (value === "" && !op.keepEmpty)) return;
  const present = getHeader(headers, op.name) !== undefined;
  switch (op.action) {
    case AppendAction.ADD_IF_ABSENT:
      if (!present) headers.push(op.name, value);
      return;
    case AppendAction.OVERWRITE_IF_EXISTS_OR_ADD:
      setHeader(headers, op.name, value);
      return;
    case AppendAction.OVERWRITE_IF_EXISTS:
      if (present) setHeader(headers, op.name, value);
      return;
    default:
      headers.push(op.name, value);
  }
}

const none: readonly HeaderOp[] = [];

/** The deprecated `append` flag. */
const appendAction = (append: boolean): AppendAction =>
  append ? AppendAction.APPEND_IF_EXISTS_OR_ADD : AppendAction.OVERWRITE_IF_EXISTS_OR_ADD;

/** Framing is this hop's own business, and pseudo-headers have their own fields; Envoy refuses `:` and `host` too. */
function mutableName(key: string): string {
  const name = key.toLowerCase();
  if (name.startsWith(":") || frozen.has(name)) throw new Error(`${JSON.stringify(key)} may not be changed`);
  if (name === "") throw new Error("must not be empty");
  if (!isHeaderName(name)) throw new Error(`${JSON.stringify(key)} is no header name`);
  return name;
}

const frozen = new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "keep-alive"]);

/** Literals become the bytes that heads are written in; what is constant is checked here and now. */
function compileValue(text: string): string | Format {
  const format = compileFormat(text).map((part) => (typeof part === "string" ? toWire(part) : part));
  const constant = format.every((part) => typeof part === "string") ? format.join("") : undefined;
  if (constant !== undefined && !isHeaderValue(constant)) throw new Error("has control characters");
  return constant ?? format;
}
