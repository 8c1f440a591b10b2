import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { sampleRecord } from "../access-log/testing/sample-record.ts";
import { ResponseFlag } from "../record.ts";
import { compileFormat, compileJson, renderText } from "./format.ts";

const locality = { region: "r", zone: "z", subZone: "" };
const record = sampleRecord({
  downstreamRemoteAddress: "::1",
  downstreamRemotePort: 5,
  atEdge: true,
  upstreamLocalAddress: "::1:40123",
  responseFlags: ResponseFlag.upstreamConnectionFailure | ResponseFlag.upstreamRetryLimitExceeded,
  requestHeaders: ["x-a", "1", "x-a", "2", "x-envoy-original-path", "/before", "content-type", "application/grpc"],
  responseHeaders: ["grpc-status", "14"],
  path: "/p?q=a%20b&r",
  upstreamHost: { address: "10.0.0.2", port: 2, hostname: "two.test", locality },
  earlierHosts: [
    { address: "10.0.0.1", port: 1, hostname: "", locality },
    { address: "10.0.0.2", port: 2, hostname: "two.test", locality },
  ],
  filterState: { f: { json: () => ({ aB: "1" }), fields: () => ({ a_b: "1" }), text: () => "plain" } },
  clusterMetadata: { istio: { services: [{ host: "reviews" }] } },
});
const render = (text: string, of = record) => renderText(compileFormat(text), of, "-");

describe("formats", () => {
  it.each([
    ["100%% of %PROTOCOL%", "100% of HTTP/1.1"],
    ["%HOSTNAME%", hostname()],
    ["%START_TIME%", "2026-11-18T11:00:45.123Z"],
    ["%START_TIME(%Y/%m/%dT%H:%M:%S%z %s)%", "2026/11/18T11:00:45+0000 1794999645"],
    ["%START_TIME(%s.%3f)% %START_TIME(%f)% %START_TIME(%E3S)%", "1794999645.123 123456000 45.123"],
    [
      "%START_TIME(%a %A %b %B %e %j %I %p %y %F %T)%",
      "Wed Wednesday Nov November 18 322 11 AM 26 2026-11-18 11:00:45",
    ],
    ["%DURATION% %REQUEST_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%", "12 0 10 2"],
    ["%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "[::1]:5 ::1"],
    ["%UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_LOCAL_PORT%", "[::1]:40123 40123"],
    ["%UPSTREAM_HOST% %UPSTREAM_REMOTE_PORT%", "127.0.1.5:9080 9080"],
    ["%RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%", "URX,UF UpstreamRetryLimitExceeded,UpstreamConnectionFailure"],
    ["%REQ(X-A)% %REQ(X-B)% %REQ(X-B?X-A)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "1 - 1 /before"],
    ["%REQ(:METHOD):2% %REQ(Host)%", "GE reviews:9080"],
    ["%GRPC_STATUS% %GRPC_STATUS_NUMBER% %GRPC_STATUS(SNAKE_STRING)%", "Unavailable 14 UNAVAILABLE"],
    [
      "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)% %UPSTREAM_HOSTS_ATTEMPTED% %UPSTREAM_HOST_NAME%",
      "::/24 10.0.0.1:1,10.0.0.2:2 two.test",
    ],
    ["%FILTER_STATE(f)% %FILTER_STATE(f:PLAIN)% %FILTER_STATE(g)%", '{"aB":"1"} plain -'],
    [
      '%COALESCE({"operators": ["ROUTE_NAME", "PROTOCOL"]})% %COALESCE({"operators": ["GRPC_STATUS"]}):3%',
      "default Una",
    ],
    ['%COALESCE({"operators": [{"command": "REQ", "param": "x-none"}, {"command": "PATH", "max_length": 2}]})%', "/b"],
    ['%COALESCE({"operators": ["SPAN_ID", {"command": "FILTER_STATE", "param": "f"}]})%', '{"aB":"1"}'],
    ['%COALESCE({"operators": ["SPAN_ID", "TRACE_ID"]})%', "-"],
    ["%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)% %COMMON_DURATION(US_RX_BEG:US_TX_BEG)%", "8750 -"],
    ["%QUERY_PARAM(q)% %QUERY_PARAM(r)% %QUERY_PARAM(s)%", "a b  -"],
    [
      "%METADATA(ROUTE:istio:config)% %METADATA(CLUSTER:istio:services)%",
      '/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews [{"host":"reviews"}]',
    ],
  ])("%s", (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  it.each([
    ["request.path.startsWith('/p') && 'x-a' in request.headers", "true"],
    ["size(request.headers['x-a']) + response.code", "203"],
    [
      "xds.route_metadata.filter_metadata.istio.config",
      "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews",
    ],
    ["response.backend_latency", "9.75ms"],
    ["request.duration", "12.345ms"],
    ["request.time", "2026-11-18T11:00:45.123456+00:00"],
    ["response.flags == 32 + 32768", "true"],
    ["request.headers['none']", "-"],
    ["request.path + 'x'", "-"],
  ])("CEL: %s", (expression, expected) => {
    expect(render(`%CEL(${expression})%`, { ...record, responseCode: 200 })).toBe(expected);
  });

  it.each([
    ["1 +", "%CEL%: "],
    ["nosuch", "%CEL%.nosuch: no attribute of that name"],
    ["request.nosuch", "%CEL%.request.nosuch: not supported"],
    ["string(1)", "%CEL%: string(): not supported"],
    ["'a'.lowerAscii()", "%CEL%: lowerAscii(): not supported"],
    ["[1].exists(x, x == 1)", "%CEL%: comprehensions are not supported"],
    ["xds.node", "%CEL%.xds.node: not supported"],
  ])("CEL says what is wrong with %s", (expression, expected) => {
    expect(() => compileFormat(`%CEL(${expression})%`)).toThrow(expected);
  });

  it.each([
    ['["PATH"]', "%COALESCE%: must be an object"],
    ["{", "%COALESCE%: is no JSON"],
    ["{}", "%COALESCE%.operators: must be a list, and not empty"],
    ['{"operators": []}', "%COALESCE%.operators: must be a list, and not empty"],
    ['{"operators": ["NOPE", {"param": "x"}]}', "operators[0]: %NOPE% is not supported"],
    ['{"operators": [{"param": "x"}]}', "operators[0].command: required, a text"],
    ['{"operators": [{"command": "REQ", "param": 1}]}', "operators[0].param: must be a text"],
    ['{"operators": [{"command": "REQ"}]}', "operators[0].command: %REQ% is not supported"],
    ['{"operators": [{"command": "PATH", "max_length": 0}]}', "max_length: must be a whole number above 0"],
  ])("COALESCE of %s: %s", (argument, expected) => {
    expect(() => compileFormat(`%COALESCE(${argument})%`)).toThrow(expected);
  });

  it.each([
    ["10.1.2.3", 20, "10.1.0.0/20"],
    ["10.1.2.3", 0, "0.0.0.0/0"],
    ["10.1.2.3", 40, "10.1.2.3/32"],
    ["2001:db8:1:2:3:4:5:6", 48, "2001:db8:1::/48"],
    ["2001:db8:0:0:1::2", 128, "2001:db8::1:0:0:2/128"],
    ["fe80::1%eth0", 10, "fe80::/10"],
  ])("%s under %i bits", (downstreamRemoteAddress, bits, expected) => {
    const of = sampleRecord({ downstreamRemoteAddress, atEdge: true });
    expect(render(`%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(${bits})%`, of)).toBe(expected);
  });

  it("no flags are a value of their own, not an absent one", () => {
    expect(renderText(compileFormat("%RESPONSE_FLAGS%|%ROUTE_NAME%"), sampleRecord({ routeName: "" }), "")).toBe("-|");
  });

  it.each([
    [
      "%NOPE% %REQ% %START_TIME(%Q)%",
      ["%NOPE% is not supported", "%REQ% is not supported", "time format: %Q is not supported"],
    ],
    ["50% off", ['"50% off" has a % that begins no operator; %% stands for one']],
  ])("names all that it doesn't know: %s", (text, expected) => {
    expect(() => compileFormat(text)).toThrow(expected.join("; "));
  });

  it("makes JSON with numbers, nesting and nulls", () => {
    const value = {
      code: "%RESPONSE_CODE%",
      to: { host: "%ROUTE_NAME%", list: ["%REQ(X-B)%", true] },
      x: "a %REQ(X-B)%",
    };
    const none = sampleRecord({ routeName: "" });
    expect(compileJson(value, false)(none)).toEqual({ code: 200, to: { host: null, list: [null, true] }, x: "a -" });
    expect(compileJson(value, true)(none)).toEqual({ code: 200, to: { list: [true] }, x: "a " });
    expect(() => compileJson({ a: { b: "%X%" }, c: "%Y%" }, false)).toThrow(
      "a: b: %X% is not supported; c: %Y% is not supported",
    );
  });
});
