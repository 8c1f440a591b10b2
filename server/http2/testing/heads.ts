import type { Fields } from "../../sidecar/http/stream.ts";

export const start: Fields = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"];
export const withField = (...fields: string[]): Fields => [...start, ...fields];
const without = (name: string): Fields => start.filter((_, index) => start[index - (index % 2)] !== name);
export const replacing = (name: string, value: string): Fields =>
  start.map((each, index) => (index % 2 === 1 && start[index - 1] === name ? value : each));

/** Heads that RFC 9113, 8 forbids. */
export const malformed: [string, Fields][] = [
  ["an upper-case name", withField("X-Upper", "1")],
  ["a name with a space", withField("x y", "1")],
  ["an empty name", withField("", "1")],
  ["a value with NUL", withField("x", "a\0b")],
  ["a value with CR", withField("x", "a\rb")],
  ["a value with LF", withField("x", "a\nb")],
  ["no method", without(":method")],
  ["no scheme", without(":scheme")],
  ["no path", without(":path")],
  ["an empty path", replacing(":path", "")],
  ["a path that does not begin with a slash", replacing(":path", "a")],
  ["a path with a space", replacing(":path", "/a b")],
  ["an absolute path", replacing(":path", "http://a/")],
  ["a path with DEL", replacing(":path", "/\u007f")],
  ["neither authority nor host", without(":authority")],
  ["an empty authority", replacing(":authority", "")],
  ["an authority with user information", replacing(":authority", "u@a")],
  ["an authority with a path", replacing(":authority", "a/b")],
  ["host twice", [...without(":authority"), "host", "a", "host", "b"]],
  ["an asterisk for GET", replacing(":path", "*")],
  ["a method that is no token", replacing(":method", "G T")],
  ["a scheme that is none", replacing(":scheme", "1http")],
  ["a pseudo-header twice", withField(":path", "/b")],
  ["a pseudo-header after a field", [...start.slice(2), "x", "1", ":method", "GET"]],
  ["a status in a request", [":status", "200", ...start]],
  ["an unknown pseudo-header", [":what", "1", ...start]],
  ["connection", withField("connection", "close")],
  ["keep-alive", withField("keep-alive", "5")],
  ["proxy-connection", withField("proxy-connection", "close")],
  ["transfer-encoding", withField("transfer-encoding", "chunked")],
  ["upgrade", withField("upgrade", "h2c")],
  ["te other than trailers", withField("te", "gzip")],
  ["content-length that is no number", withField("content-length", "1x")],
  ["content-length twice", withField("content-length", "0", "content-length", "0")],
  ["content-length without a body", withField("content-length", "3")],
  [":protocol where it is not allowed", [":method", "CONNECT", ":protocol", "websocket", ...start.slice(2)]],
  ["CONNECT with a path", [":method", "CONNECT", ":authority", "a:1", ":path", "/"]],
  ["CONNECT without an authority", [":method", "CONNECT"]],
];

/** Heads that look odd and are allowed. */
export const fine: [string, Fields][] = [
  ["a path beyond ASCII", replacing(":path", "/\u00e9")],
  ["a scheme other than HTTP's", replacing(":scheme", "ftp")],
  ["te: trailers", withField("te", "trailers")],
  ["host and no authority", [...start.slice(0, 6), "host", "a"]],
  ["OPTIONS *", [":method", "OPTIONS", ":scheme", "http", ":path", "*", ":authority", "a"]],
  ["a value with spaces around it", withField("x", " a ")],
  ["a value beyond ASCII", withField("x", "\u00e9")],
  ["an empty value", withField("x", "")],
  ["content-length: 0", withField("content-length", "0")],
  ["CONNECT", [":method", "CONNECT", ":authority", "a:1"]],
];
