import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { type ServiceError, status } from "@grpc/grpc-js";
import { ClientResourceStatus } from "../gen/proto/envoy/admin/v3/config_dump_shared_pb.js";
import {
  type ClientConfig_GenericXdsConfigSchema,
  type ClientConfigSchema,
  ClientStatusDiscoveryService,
  type ClientStatusRequest,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
  ConfigStatus,
} from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import { addService, type ServiceHost } from "../lib/grpc.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { matchesNode } from "./node-matcher.ts";
import { shownValue } from "./redact.ts";
import { type ResourceState, statusOf } from "./resource-status.ts";
import type { Session } from "./session.ts";
import type { Subscription } from "./subscription.ts";
import type { Resource } from "./types.ts";

/** Under this key of the node's metadata stands what CSDS has no field for. */
export const sessionMetadataKey = "limpid.dev/xds";

/** A response beyond this is refused; ask for fewer nodes, or without contents. */
const maxResponseBytes = 48 << 20;

/** What every connected proxy was sent, holds and refused. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/status/v3/csds.proto */
export function registerCsds(server: ServiceHost, sessions: () => readonly Session[]): void {
  const answer = (request: ClientStatusRequest) => clientStatus(request, sessions());
  addService(server, ClientStatusDiscoveryService, {
    fetchClientStatus(call, callback) {
      try {
        callback(null, answer(call.request));
      } catch (error) {
        callback(error as ServiceError);
      }
    },
    streamClientStatus(call) {
      call.on("data", (request) => {
        try {
          // An answer may have megabytes: the next question is taken when this one is on its way.
          call.pause();
          call.write(answer(request), () => call.resume());
        } catch (error) {
          call.emit("error", error);
        }
      });
      call.on("error", () => {});
      call.on("end", () => call.end());
    },
  });
}

/** Throws a ServiceError for a matcher that is not understood and for an answer that grows too large. */
export function clientStatus(request: ClientStatusRequest, sessions: readonly Session[]): ClientStatusResponse {
  const matches = (session: Session) =>
    request.nodeMatchers.length === 0 || request.nodeMatchers.some((matcher) => matchesNode(matcher, session.node));
  const budget = { bytes: maxResponseBytes };
  const config = sessions
    .filter(matches)
    .map((session) => clientConfig(session, !request.excludeResourceContents, budget));
  return create(ClientStatusResponseSchema, { config });
}

function clientConfig(
  session: Session,
  contents: boolean,
  budget: { bytes: number },
): MessageInitShape<typeof ClientConfigSchema> {
  const { node } = session;
  const genericXdsConfigs = [...(session.snapshot?.resources ?? [])].flatMap(([typeUrl, resources]) => {
    const subscription = session.subscriptions.get(typeUrl);
    return [...resources.values()].map((resource) => {
      budget.bytes -= 200 + (contents ? resource.value.length : 0);
      if (budget.bytes < 0) {
        throw rpcError(status.RESOURCE_EXHAUSTED, "the answer is too large: match fewer nodes or exclude contents");
      }
      return resourceConfig(typeUrl, resource, subscription, contents);
    });
  });
  const metadata = { ...node.metadata, [sessionMetadataKey]: sessionMetadata(session) };
  return { node: { ...node, metadata }, genericXdsConfigs, clientScope: session.id };
}

/** ISO times and counts as JSON, since `Struct` has neither integers nor timestamps. */
function sessionMetadata(session: Session): JsonObject {
  const types = [...session.subscriptions].map(([typeUrl, subscription]) => [
    typeUrl,
    {
      wildcard: subscription.wildcard,
      names: subscription.nameCount,
      waiting: subscription.waiting,
      ...(subscription.waiting && { waitingSince: isoTime(session.sentAt.get(typeUrl) ?? session.connectedAt) }),
      nacks: session.nacks.get(typeUrl) ?? 0,
    },
  ]);
  return {
    connectedAt: isoTime(session.connectedAt),
    protocol: session.protocol,
    ...(session.identity !== undefined && { identity: session.identity }),
    certificate: certificateFacts(session),
    revision: session.snapshot?.revision ?? 0,
    types: Object.fromEntries(types),
  };
}

const isoTime = (ms: number): string => new Date(ms).toISOString();

function resourceConfig(
  typeUrl: string,
  resource: Resource,
  subscription: Subscription | undefined,
  contents: boolean,
): MessageInitShape<typeof ClientConfig_GenericXdsConfigSchema> {
  const { state, acceptedAt, refused } = statusOf(subscription, resource);
  const accepted = subscription?.accepted(resource.name);
  // What is in force, while it is stale, too; before anything is, what was sent. A refused one stands in error_state, so that a reader has both.
  const shown = state === "ERROR" ? accepted?.resource : (accepted?.resource ?? resource);
  return {
    typeUrl,
    name: resource.name,
    versionInfo: accepted?.version ?? "",
    configStatus: configStatus[state],
    clientStatus: clientStatuses[state],
    ...(contents && shown && { xdsConfig: { typeUrl, value: shownValue(typeUrl, shown) } }),
    ...(acceptedAt !== undefined && { lastUpdated: timestamp(acceptedAt) }),
    ...(refused && {
      errorState: {
        details: refused.detail,
        versionInfo: refused.version,
        lastUpdateAttempt: timestamp(refused.at),
        failedConfiguration: { typeUrl, value: shownValue(typeUrl, refused.resource) },
      },
    }),
  };
}

const configStatus: Record<ResourceState, ConfigStatus> = {
  SYNCED: ConfigStatus.SYNCED,
  STALE: ConfigStatus.STALE,
  NOT_SENT: ConfigStatus.NOT_SENT,
  ERROR: ConfigStatus.ERROR,
};

const clientStatuses: Record<ResourceState, ClientResourceStatus> = {
  SYNCED: ClientResourceStatus.ACKED,
  STALE: ClientResourceStatus.REQUESTED,
  NOT_SENT: ClientResourceStatus.UNKNOWN,
  ERROR: ClientResourceStatus.NACKED,
};

const timestamp = (ms: number) => ({ seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 });

const rpcError = (code: status, details: string): Error => Object.assign(new Error(details), { code, details });
