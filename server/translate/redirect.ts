import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  RedirectAction_RedirectResponseCode as Code,
  type DirectResponseActionSchema,
  type RedirectActionSchema,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { HTTPDirectResponse, HTTPRedirect } from "../model/specs.ts";

type RedirectInit = MessageInitShape<typeof RedirectActionSchema>;

const codes: Readonly<Record<number, Code>> = {
  301: Code.MOVED_PERMANENTLY,
  302: Code.FOUND,
  303: Code.SEE_OTHER,
  307: Code.TEMPORARY_REDIRECT,
  308: Code.PERMANENT_REDIRECT,
};

/** `port` is the one that the request came in on. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRedirect */
export function redirect(spec: HTTPRedirect, port: number): RedirectInit {
  return {
    hostRedirect: spec.authority ?? "",
    portRedirect: redirectPort(spec, port),
    responseCode: codes[spec.redirectCode ?? 301] ?? Code.MOVED_PERMANENTLY,
    pathRewriteSpecifier: redirectPath(spec),
    ...(spec.scheme && { schemeRewriteSpecifier: { case: "schemeRedirect", value: spec.scheme } }),
  };
}

function redirectPath({ uri, prefixRewrite }: HTTPRedirect): RedirectInit["pathRewriteSpecifier"] {
  if (prefixRewrite) return { case: "prefixRewrite", value: prefixRewrite };
  return uri ? { case: "pathRedirect", value: uri } : undefined;
}

/** The default port of the scheme is never spelled out. Envoy cannot derive a port from the request, but each route is of one port. */
function redirectPort(spec: HTTPRedirect, port: number): number {
  const wanted = spec.derivePort === "FROM_REQUEST_PORT" ? port : (spec.port ?? 0);
  const standard = (spec.scheme || "http") === "https" ? 443 : 80;
  return wanted === standard ? 0 : wanted;
}

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPDirectResponse */
export function directResponse(spec: HTTPDirectResponse): MessageInitShape<typeof DirectResponseActionSchema> {
  const { string, bytes } = spec.body ?? {};
  if (string !== undefined) {
    return { status: spec.status, body: { specifier: { case: "inlineString", value: string } } };
  }
  if (bytes !== undefined) {
    const value = new Uint8Array(Buffer.from(bytes, "base64"));
    return { status: spec.status, body: { specifier: { case: "inlineBytes", value } } };
  }
  return { status: spec.status };
}
