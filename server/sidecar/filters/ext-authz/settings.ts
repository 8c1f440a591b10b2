import type {
  BufferSettings,
  CheckSettings,
  ExtAuthz,
} from "../../../gen/proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { at, together } from "../../config/problems.ts";
import { compileMetadata, type MetadataTest } from "../../match/metadata-matcher.ts";
import type { FilterIo } from "../../request/filter.ts";
import type { CheckOptions } from "./check-request.ts";
import { compileCheckService } from "./grpc-service.ts";
import { compileHttpService } from "./http-service.ts";
import type { Ask } from "./service.ts";
import { compileList } from "./shown-headers.ts";

/** What a check goes by, of the filter and its routes together. */
export interface Settings {
  readonly config: ExtAuthz;
  readonly ask: Ask;
  readonly statPrefix: string;
  readonly statusOnError: number;
  readonly enabledShare: () => number;
  readonly enabledMetadata: MetadataTest | undefined;
  readonly denyAtDisable: () => boolean;
}

/** Throws an Error naming the fields. */
export function compileSettings(config: ExtAuthz, io: FilterIo): Settings {
  const { filterEnabledMetadata: matcher, services, withRequestBody } = config;
  if (withRequestBody !== undefined) checkBuffer(withRequestBody);
  const { ask, enabledMetadata } = together<Pick<Settings, "ask" | "enabledMetadata">>({
    ask: () => compileService(services, config),
    enabledMetadata: () => matcher && at("filter_enabled_metadata", () => compileMetadata(matcher)),
  });
  return {
    config,
    ask,
    enabledMetadata,
    statPrefix: `${io.statPrefix}ext_authz.${config.statPrefix === "" ? "" : `${config.statPrefix}.`}`,
    statusOnError: config.statusOnError?.code || 403,
    enabledShare: io.runtime.share(config.filterEnabled, 1),
    denyAtDisable: io.runtime.flag(config.denyAtDisable, false),
  };
}

export function compileService(
  service: ExtAuthz["services"] | CheckSettings["serviceOverride"],
  config: ExtAuthz,
): Ask {
  const options = checkOptions(config);
  switch (service.case) {
    case "httpService":
      return at("http_service", () => compileHttpService(service.value, options.shown));
    case "grpcService":
      return at("grpc_service", () => compileCheckService(service.value, options));
    default:
      throw new Error("services: http_service or grpc_service is required");
  }
}

function checkOptions(config: ExtAuthz): CheckOptions {
  return {
    shown: {
      allowed: at("allowed_headers", () => compileList(config.allowedHeaders)),
      disallowed: at("disallowed_headers", () => compileList(config.disallowedHeaders)),
      raw: config.encodeRawHeaders,
    },
    namespaces: { plain: config.metadataContextNamespaces, typed: config.typedMetadataContextNamespaces },
    routeNamespaces: {
      plain: config.routeMetadataContextNamespaces,
      typed: config.routeTypedMetadataContextNamespaces,
    },
    peerCertificate: config.includePeerCertificate,
    tlsSession: config.includeTlsSession,
    // A route's own settings of bodies don't say it, in Envoy.
    bodyAsBytes: config.withRequestBody?.packAsBytes ?? false,
  };
}

export function checkBuffer({ maxRequestBytes }: BufferSettings): void {
  if (maxRequestBytes === 0) throw new Error("with_request_body.max_request_bytes: must be greater than 0");
}
