import { getHeader } from "../../http/headers.ts";
import type { RequestRecord } from "../../record.ts";
import { needs, type Operator, type OperatorMaker, type Operators, plain, some } from "./operator.ts";

type Read = (record: RequestRecord, name: string) => string | undefined;

/** `MAIN?OTHER`: the other header where there is no main one. Of a repeated header Envoy's formatter takes the first. */
function either(argument: string, read: Read): Operator {
  const [main = "", other] = argument.toLowerCase().split("?");
  return (record) => read(record, main) ?? (other === undefined ? undefined : read(record, other));
}

function requestHeader(record: RequestRecord, name: string): string | undefined {
  switch (name) {
    case ":method":
      return some(record.method);
    case ":path":
      return some(record.path);
    case ":authority":
    case "host":
      return some(record.authority);
    case ":scheme":
      return some(record.scheme);
    default:
      return getHeader(record.requestHeaders, name);
  }
}

const responseHeader: Read = ({ responseHeaders, responseCode }, name) =>
  name === ":status" ? (responseCode === 0 ? undefined : String(responseCode)) : getHeader(responseHeaders, name);

const trailer: Read = ({ responseTrailers }, name) => getHeader(responseTrailers ?? [], name);

const request: OperatorMaker = needs((argument) => either(argument, requestHeader));
const response: OperatorMaker = needs((argument) => either(argument, responseHeader));
const responseTrailer: OperatorMaker = needs((argument) => either(argument, trailer));

/** `X?Y` as of a header, without what stands behind a question mark. */
const withoutQuery: OperatorMaker = needs((argument) => {
  const read = either(argument, requestHeader);
  return (record) => {
    const value = read(record);
    return typeof value === "string" ? value.split("?", 1)[0] : value;
  };
});

/** What the client asked for, before a route rewrote it. */
const originalPath: Operator = ({ originalPath: original, requestHeaders }) =>
  some(original) ?? getHeader(requestHeaders, "x-envoy-original-path");
const path: Operator = (record) => some(record.path);

function pathSource(source: string | undefined): Operator | undefined {
  switch (source) {
    case "ORIG":
      return originalPath;
    case "PATH":
      return path;
    case undefined:
    case "ORIG_OR_PATH":
      return (record) => originalPath(record) ?? path(record);
    default:
      return undefined;
  }
}

/** `WQ` or `NQ`: with or without the query. */
const pathOf: OperatorMaker = (argument = "WQ") => {
  const [query = "", source] = argument.split(":");
  const read = pathSource(source);
  if (read === undefined || (query !== "WQ" && query !== "NQ")) return undefined;
  if (query === "WQ") return read;
  return (record) => (read(record) as string | undefined)?.split("?", 1)[0];
};

/** All of the query: as it came, or with no more escapes than it needs. */
const queryParams: OperatorMaker = (form = "ORIG") => {
  if (form !== "ORIG" && form !== "DECODED") return undefined;
  return ({ path: asked }) => {
    const question = asked.indexOf("?");
    const query = question === -1 ? "" : asked.slice(question + 1);
    return some(form === "ORIG" ? query : unescaped(query).replace(/[^!-~]/g, escaped));
  };
};

const escaped = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
const unescaped = (query: string): string =>
  query.replace(/%[0-9a-f]{2}/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));

const queryParam: OperatorMaker = needs((name) => ({ path: text }) => {
  const question = text.indexOf("?");
  if (question === -1) return undefined;
  for (const pair of text.slice(question + 1).split("&")) {
    const equals = pair.indexOf("=");
    const key = equals === -1 ? pair : pair.slice(0, equals);
    if (key === name) return equals === -1 ? "" : unescaped(pair.slice(equals + 1));
  }
  return undefined;
});

/** Names and values together, without what a protocol puts between them, as Envoy's maps of headers count. */
const sizeOf = (fields: readonly string[]): number => {
  let size = 0;
  for (const text of fields) size += text.length;
  return size;
};

function requestSize({ requestHeaders, method, path: asked, authority, scheme }: RequestRecord): number {
  if (method === "") return 0;
  const pseudo = [":method", method, ":path", asked, ":authority", authority, ":scheme", scheme];
  return sizeOf(requestHeaders) + sizeOf(pseudo);
}

const responseSize = ({ responseHeaders, responseCode }: RequestRecord): number =>
  responseCode === 0 ? 0 : sizeOf(responseHeaders) + 10;

export const headerOperators: Operators = {
  REQ: request,
  REQUEST_HEADER: request,
  RESP: response,
  RESPONSE_HEADER: response,
  TRAILER: responseTrailer,
  RESPONSE_TRAILER: responseTrailer,
  REQ_WITHOUT_QUERY: withoutQuery,
  PATH: pathOf,
  QUERY_PARAM: queryParam,
  QUERY_PARAMS: queryParams,
  REQUEST_HEADERS_BYTES: plain(requestSize),
  RESPONSE_HEADERS_BYTES: plain(responseSize),
  RESPONSE_TRAILERS_BYTES: plain(({ responseTrailers }) => sizeOf(responseTrailers ?? [])),
};
