import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOption,
} from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { tokenChars, valueChars } from "../http1/chars.ts";
import { type FlatHeaders, getHeader, removeHeader, setHeader } from "../http1/headers.ts";
import type { RequestRecord } from "../record.ts";
import { compileFormat, formatValue, type ValueFormat } from "./format.ts";

/** One change to a header list. `action` undefined removes. */
export interface HeaderOp {
  readonly name: string;
  readonly action: AppendAction | undefined;
  readonly value: ValueFormat;
  readonly keepEmpty: boolean;
}

/** Removals come after additions, as Envoy's header parser does it. */
export function compileHeaderOps(add: readonly HeaderValueOption[], remove: readonly string[]): readonly HeaderOp[] {
  if (add.length === 0 && remove.length === 0) return none;
  return [...add.map(compileAdd), ...remove.map(compileRemove)];
}

export function compileAdd(option: HeaderValueOption): HeaderOp {
  const header = option.header;
  if (header === undefined) throw new Error("header: required");
  return {
    name: mutableName(header.key),
    action: option.append === undefined ? option.appendAction : appendAction(option.append),
    value: checkValue(compileFormat(header.value), header.key),
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
  const value = safeValue(formatValue(op.value, record));
  if (value === undefined || (value === "" && !op.keepEmpty)) return;
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
  if (name.startsWith(":") || frozen.has(name)) throw new Error(`header ${JSON.stringify(key)} may not be changed`);
  for (let i = 0; i < name.length; i++) {
    if (tokenChars[name.charCodeAt(i) & 0xff] === 0) throw new Error(`${JSON.stringify(key)} is no header name`);
  }
  if (name === "") throw new Error("empty header name");
  return name;
}

const frozen = new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "keep-alive"]);

function checkValue(value: ValueFormat, key: string): ValueFormat {
  if (typeof value === "string" && safeValue(value) !== value) {
    throw new Error(`header ${JSON.stringify(key)}: value has control characters`);
  }
  return value;
}

/** A computed value may hold anything; what could split the message is dropped. */
function safeValue(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  for (let i = 0; i < value.length; i++) if (valueChars[value.charCodeAt(i) & 0xff] !== 1) return undefined;
  return value;
}
