import type { DescMessage } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { CookieBasedSessionStateSchema } from "../../../gen/proto/envoy/extensions/http/stateful_session/cookie/v3/cookie_pb.js";
import { HeaderBasedSessionStateSchema } from "../../../gen/proto/envoy/extensions/http/stateful_session/header/v3/header_pb.js";
import type { Cookie } from "../../../gen/proto/envoy/type/http/v3/cookie_pb.js";
import { type FlatHeaders, getHeader, setHeader, toWire } from "../../http/headers.ts";
import type { RequestContext, SupportedFields } from "../../request/filter.ts";
import { cookieValue, setCookie } from "../../route/cookie.ts";
import { decodeSession, encodeSession } from "./session-cookie.ts";

/** Where a client keeps the host that it belongs to. */
export interface SessionState {
  /** Whether requests have a session at all: a cookie's path may be another one's. */
  applies(request: RequestContext): boolean;
  /** The host's address; undefined: the client has none yet. */
  read(headers: FlatHeaders): string | undefined;
  /** Tells the client. */
  write(headers: FlatHeaders, address: string): void;
}

export const sessionStateSchemas: readonly DescMessage[] = [
  CookieBasedSessionStateSchema,
  HeaderBasedSessionStateSchema,
];

export const sessionStateFields: SupportedFields = {
  [CookieBasedSessionStateSchema.typeName]: ["cookie"],
  [HeaderBasedSessionStateSchema.typeName]: ["name"],
  "envoy.type.http.v3.Cookie": ["name", "ttl", "path"],
};

/** Throws an Error naming the field. */
export function compileSessionState(any: Any): SessionState {
  const cookie = anyUnpack(any, CookieBasedSessionStateSchema);
  if (cookie !== undefined) return cookieState(cookie.cookie);
  const header = anyUnpack(any, HeaderBasedSessionStateSchema);
  if (header === undefined) throw new Error(`typed_config: ${any.typeUrl} is not supported`);
  if (header.name === "") throw new Error("name: required");
  return headerState(header.name.toLowerCase());
}

function cookieState(config: Cookie | undefined): SessionState {
  if (config === undefined || config.name === "") throw new Error("cookie.name: required");
  const name = toWire(config.name);
  const path = toWire(config.path);
  const maxAgeSeconds = config.ttl?.seconds ?? 0n;
  const now = () => Math.floor(Date.now() / 1000);
  return {
    applies: ({ path: asked }) => isUnder(asked, path),
    read(headers) {
      const session = decodeSession(cookieValue(headers, name));
      if (session === undefined || session.address === "") return undefined;
      return session.expires === 0 || now() <= session.expires ? session.address : undefined;
    },
    write(headers, address) {
      const expires = maxAgeSeconds === 0n ? 0 : now() + Number(maxAgeSeconds);
      const value = encodeSession({ address, expires });
      headers.push("set-cookie", setCookie({ name, value, maxAgeSeconds, path, attributes: [] }));
    },
  };
}

/** RFC 6265, 5.1.4, as Envoy has it. */
function isUnder(asked: string, path: string): boolean {
  if (path === "" || path === "/") return true;
  if (!asked.startsWith(path)) return false;
  return path.endsWith("/") || asked.length === path.length || "/?#".includes(asked.charAt(path.length));
}

const headerState = (name: string): SessionState => ({
  applies: () => true,
  read(headers) {
    const value = getHeader(headers, name) ?? "";
    return value === "" ? undefined : Buffer.from(value, "base64").toString("latin1");
  },
  write(headers, address) {
    setHeader(headers, name, Buffer.from(address, "latin1").toString("base64"));
  },
});
