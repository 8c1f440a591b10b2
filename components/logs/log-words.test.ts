import { expect, it } from "vitest";
import type { LogEntry } from "../../server/contract/index.ts";
import { detailsWord, peerFilter, toneOf } from "./log-words.ts";

it.each([
  ["via_upstream", "via_upstream"],
  ["upstream_reset_before_response_started{connection_timeout}", "upstream_reset_before_response_started"],
  ["rbac_access_denied_matched_policy[none]", "rbac_access_denied"],
  ["overloaded", undefined],
  ["", undefined],
])("knows %s", (details, word) => {
  expect(detailsWord(details)).toBe(word);
});

it("tells how a request went", () => {
  const tone = (over: Partial<LogEntry>) =>
    toneOf({ protocol: "http", code: 200, grpcStatus: null, flags: [], ...over } as LogEntry);
  expect(tone({})).toBe("ok");
  expect(tone({ code: 404 })).toBe("warn");
  expect(tone({ code: 503 })).toBe("bad");
  expect(tone({ code: 0 })).toBe("bad");
  expect(tone({ grpcStatus: 14 })).toBe("bad");
  expect(tone({ protocol: "tcp", code: 0 })).toBe("ok");
  expect(tone({ protocol: "tcp", code: 0, flags: ["UF"] })).toBe("bad");
});

it("writes a workload as the filters have it", () => {
  const peer = { workload: "a-v1", namespace: "default", app: "a", version: "v1", service: null };
  expect(peerFilter(peer)).toBe("default/a/v1");
  expect(peerFilter({ ...peer, namespace: "" })).toBeUndefined();
});
