import { expect, it } from "vitest";
import { accessLogFileOf } from "./access-log-file.ts";

it.each([
  [{}, undefined],
  [{ LIMPID_ACCESS_LOG_FORMAT: "x" }, undefined],
  [{ LIMPID_ACCESS_LOG_FILE: "/dev/stdout" }, { path: "/dev/stdout", encoding: "TEXT", format: "" }],
  [
    { LIMPID_ACCESS_LOG_FILE: "/l", LIMPID_ACCESS_LOG_ENCODING: "JSON", LIMPID_ACCESS_LOG_FORMAT: "{}" },
    { path: "/l", encoding: "JSON", format: "{}" },
  ],
])("%j", (env, expected) => {
  expect(accessLogFileOf(env)).toEqual(expected);
});

it.each([
  [
    { LIMPID_ACCESS_LOG_FILE: "/l", LIMPID_ACCESS_LOG_ENCODING: "XML" },
    "LIMPID_ACCESS_LOG_ENCODING: must be TEXT or JSON",
  ],
  [
    { LIMPID_ACCESS_LOG_FILE: "/l", LIMPID_ACCESS_LOG_ENCODING: "JSON", LIMPID_ACCESS_LOG_FORMAT: "%PROTOCOL%" },
    "LIMPID_ACCESS_LOG_FORMAT: must be a JSON object",
  ],
])("refuses %j", (env, message) => {
  expect(() => accessLogFileOf(env)).toThrow(message);
});
