import { afterAll, beforeAll, describe, it } from "vitest";
import { type Ask, envoyMissing } from "../../testing/beside-envoy.ts";
import { http, message, Transforms } from "../testing/transforms.ts";

const transforms = new Transforms();

const webCall = (
  path: string,
  text: boolean,
  more: Record<string, string> = {},
  body: Buffer = message("hello"),
): Ask => ({
  method: "POST",
  path,
  headers: {
    "content-type": `application/grpc-web${text ? "-text" : ""}`,
    ...(text && { accept: "application/grpc-web-text" }),
    ...more,
  },
  body: text ? body.toString("base64") : body,
});

beforeAll(
  () =>
    transforms.start((listener) => ({
      web: listener(
        [http("grpc_web", "grpc_web.v3.GrpcWeb")],
        [{ match: { prefix: "/direct" }, direct_response: { status: 403, body: { inline_string: "no & nö" } } }],
      ),
      stats: listener([
        http("grpc_stats", "grpc_stats.v3.FilterConfig", {
          stats_for_all_methods: true,
          emit_filter_state: true,
          replace_dots_in_grpc_service_name: true,
        }),
      ]),
      listed: listener([
        http("grpc_stats", "grpc_stats.v3.FilterConfig", {
          individual_method_stats_allowlist: { services: [{ name: "pkg.Service", method_names: ["Call"] }] },
        }),
      ]),
    })),
  90_000,
);
afterAll(() => transforms.close());

describe.skipIf(envoyMissing)("filters of gRPC, like Envoy", () => {
  it.each<[string, string, Ask]>([
    ["web", "a binary call", webCall("/pkg.Service/Call", false)],
    ["web", "a text call", webCall("/pkg.Service/Call", true)],
    ["web", "text in, binary out", webCall("/pkg.Service/Many", true, { accept: "*/*" })],
    ["web", "several messages as text", webCall("/pkg.Service/Many", true)],
    ["web", "an answer of trailers only", webCall("/pkg.Service/Trailers", false)],
    ["web", "an answer of trailers only, as text", webCall("/pkg.Service/Trailers", true)],
    ["web", "an upstream that fails in HTTP", webCall("/pkg.Service/Plain", false)],
    ["web", "an upstream that is none of gRPC", webCall("/pkg.Service/Odd", true)],
    ["web", "an answer made here", webCall("/direct", false)],
    ["web", "an answer made here, as text", webCall("/direct", true)],
    ["web", "no base64", { ...webCall("/pkg.Service/Call", true), body: "!!!!" }],
    ["web", "base64 that is cut", { ...webCall("/pkg.Service/Call", true), body: "AAAAA" }],
    ["web", "padding inside", { ...webCall("/pkg.Service/Call", true), body: "AA==AAAA" }],
    [
      "web",
      "a type with parameters is none",
      webCall("/pkg.Service/Call", false, { "content-type": "application/grpc-web; a=b" }),
    ],
    ["web", "its own accepted encodings", webCall("/pkg.Service/Call", false, { "grpc-accept-encoding": "gzip" })],
    ["web", "gRPC itself", webCall("/pkg.Service/Call", false, { "content-type": "application/grpc" })],
    ["web", "anything else", { path: "/text" }],
    ["stats", "a call", webCall("/pkg.Service/Call", false, { "content-type": "application/grpc" })],
    [
      "stats",
      "three messages each way",
      webCall(
        "/pkg.Service/Many",
        false,
        { "content-type": "application/grpc" },
        Buffer.concat([message("a"), message("bb"), message("")]),
      ),
    ],
    ["stats", "a refused call", webCall("/pkg.Service/Trailers", false, { "content-type": "application/grpc" })],
    ["stats", "no call by its path", webCall("/text", false, { "content-type": "application/grpc" })],
    ["listed", "a call that is listed", webCall("/pkg.Service/Call", false, { "content-type": "application/grpc" })],
    ["listed", "a call that is not", webCall("/pkg.Service/Many", false, { "content-type": "application/grpc" })],
  ])("%s: %s", async (name, title, what) => {
    await transforms.compare(name, what, /base64|padding/.test(title));
  });

  it("counts as Envoy does", async () => {
    await transforms.compareCounters("cluster.up.grpc");
  });
});
