import { create } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { ExtAuthzSchema } from "../../gen/proto/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js";
import { Authorization, CheckRequestSchema } from "../../gen/proto/envoy/service/auth/v3/external_auth_pb.js";
import { at } from "../config/problems.ts";
import { compileMetadata, metadataMatcherFields } from "../match/metadata-matcher.ts";
import { ResponseFlag } from "../record.ts";
import { checkPeers } from "../upstream/check-peers.ts";
import { GrpcFailure, grpcCall } from "../upstream/grpc-call.ts";
import { compileGrpcService, grpcServiceFields } from "../upstream/grpc-service.ts";
import { type NetworkConnection, type NetworkFilterFactory, type Refusal, Undecided } from "./network-filter.ts";

/**
 * Asks another server whether a connection may come in: https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/ext_authz_filter
 * Like RBAC it decides once the handshake is over, and not with the first byte.
 */
export const networkExtAuthz: NetworkFilterFactory = {
  schema: ExtAuthzSchema,
  fields: {
    [ExtAuthzSchema.typeName]: [
      "stat_prefix",
      "grpc_service",
      "failure_mode_allow",
      "include_peer_certificate",
      // harmless: there is no other version
      "transport_api_version",
      "filter_enabled_metadata",
      "include_tls_session",
    ],
    ...metadataMatcherFields,
    ...grpcServiceFields,
  },
  compile(config, { stats, clusters }) {
    const authz = anyUnpack(config, ExtAuthzSchema);
    if (authz === undefined || authz.statPrefix === "") throw new Error("stat_prefix: required");
    const { filterEnabledMetadata: matcher, failureModeAllow, includePeerCertificate, includeTlsSession } = authz;
    const enabled = matcher && at("filter_enabled_metadata", () => compileMetadata(matcher));
    const target = at("grpc_service", () => compileGrpcService(authz.grpcService, defaultTimeoutMs));
    const prefix = `ext_authz.${authz.statPrefix}.`;
    const count = (name: string) => stats.counter(prefix + name).inc();
    const active = stats.gauge(`${prefix}active`);
    const question = ({ facts, serverName }: NetworkConnection) =>
      create(CheckRequestSchema, {
        attributes: {
          ...checkPeers(facts, includePeerCertificate),
          ...(includeTlsSession && { tlsSession: { sni: serverName } }),
        },
      });

    function judge(allowed: boolean | undefined): Refusal | undefined {
      count(allowed === undefined ? "error" : allowed ? "ok" : "denied");
      if (allowed === true) return undefined;
      if (allowed === undefined && failureModeAllow) {
        count("failure_mode_allowed");
        return undefined;
      }
      count("cx_closed");
      return allowed === undefined ? { ...refusal, details: "ext_authz_error" } : refusal;
    }

    return {
      accept(connection) {
        if (enabled?.(connection.metadata) === false) {
          count("disabled");
          return undefined;
        }
        return new Undecided((done) => {
          count("total");
          active.add(1);
          const cancel = grpcCall(clusters, target, Authorization.method.check, question(connection), (answer) => {
            active.add(-1);
            done(judge(answer instanceof GrpcFailure ? undefined : (answer.status?.code ?? 0) === 0));
          });
          return () => {
            active.add(-1);
            cancel();
          };
        });
      },
    };
  },
};

const refusal: Refusal = { details: "ext_authz_denied", flags: ResponseFlag.unauthorizedExternalService, delayMs: 0 };

/** Envoy's. */
const defaultTimeoutMs = 200;
