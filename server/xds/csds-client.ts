import { create, type JsonObject, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import type { Any, Timestamp } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ConfigStatus,
} from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { anyToJson } from "./any-json.ts";
import { sessionMetadataKey } from "./csds.ts";
import { nodeFacts } from "./node-facts.ts";
import { shownSecret } from "./redact.ts";
import { kindOf, shownKinds, type XdsType } from "./resource-kinds.ts";
import type { ResourceState } from "./resource-status.ts";
import { TypeUrl } from "./types.ts";

/** One connected proxy, in the shape of the dashboard's ProxySync, and its resources in the shape of ProxyConfigDump. */
export interface ProxyStatus {
  id: string;
  name: string;
  namespace: string;
  address: string;
  app: string;
  version: string;
  kind: "sidecar" | "gateway";
  implementation: string;
  protocol: "delta" | "sotw";
  /** Unix milliseconds. */
  connectedAt: number;
  /** The config revision of its newest snapshot. */
  revision: number;
  /** SPIFFE id; null: it came in plain text. */
  identity: string | null;
  certificate: { serial: string; issuer: string; notBeforeMs: number; notAfterMs: number } | null;
  types: Record<XdsType, TypeStatus>;
  resources: ResourceConfig[];
}

export interface TypeStatus {
  state: ResourceState;
  /** That it is to hold. */
  resources: number;
  /** That it has acknowledged as they are to be. */
  acknowledged: number;
  sinceMs: number | null;
  errors: RefusedStatus[];
  subscribed: boolean;
  /** Responses refused on this connection. */
  nacks: number;
}

export interface RefusedStatus {
  resource: string;
  detail: string;
  origin: string | null;
  refusedAtMs: number | null;
  /** Since when the version before it is in force; null: there was none. */
  inForceSinceMs: number | null;
}

export interface ResourceConfig {
  type: XdsType;
  name: string;
  /** Of what is in force; empty: nothing yet. */
  version: string;
  state: ResourceState;
  updatedAt: number | null;
  error: string | null;
  /** Proto JSON of what is in force, or was sent last; null without contents. */
  config: JsonValue;
  /** Proto JSON of what was refused; null unless ERROR. */
  refusedConfig: JsonValue;
}

export interface FetchOptions {
  /** Only this proxy. */
  nodeId?: string;
  /** With the resources as JSON, or one of them; costs a decode of each. */
  contents: boolean | { type: XdsType; name: string };
  /** Default 5000 ms. */
  timeoutMs?: number;
}

/** Asks the control plane at `host:port` over CSDS. Rejects with grpc-js' ServiceError. Ordered by id. */
export async function fetchProxyStatuses(target: string, options: FetchOptions): Promise<ProxyStatus[]> {
  const response = await fetchClientStatus(target, options);
  const byNode = Map.groupBy(response.config, (config) => config.node?.id ?? "");
  return [...byNode]
    .map(([id, configs]) => proxyStatus(id, configs, options.contents))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What one proxy has in force, or was sent where nothing is yet, as bytes; and its workload's labels. */
export interface HeldResources {
  labels: Readonly<Record<string, string>>;
  resources: { typeUrl: string; name: string; value: Uint8Array }[];
}

/** Undefined: no proxy of this node id is connected. Rejects with grpc-js' ServiceError. */
export async function fetchHeldResources(target: string, nodeId: string): Promise<HeldResources | undefined> {
  const { config } = await fetchClientStatus(target, { nodeId, contents: true });
  const configs = newestFirst(config);
  const [newest] = configs;
  if (newest === undefined) return undefined;
  const labels = asObject(newest.node?.metadata?.LABELS);
  return {
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)])),
    resources: shownKinds.flatMap(({ typeUrl }) =>
      resourcesOfType(typeUrl, configs).flatMap(({ name, xdsConfig }) =>
        xdsConfig ? [{ typeUrl, name, value: xdsConfig.value }] : [],
      ),
    ),
  };
}

function fetchClientStatus(target: string, options: FetchOptions): Promise<ClientStatusResponse> {
  const init: MessageInitShape<typeof ClientStatusRequestSchema> = {
    excludeResourceContents: options.contents === false,
    ...(options.nodeId !== undefined && {
      nodeMatchers: [{ nodeId: { matchPattern: { case: "exact", value: options.nodeId } } }],
    }),
  };
  const client = makeClient(ClientStatusDiscoveryService, target, { "grpc.max_receive_message_length": 64 << 20 });
  const deadline = Date.now() + (options.timeoutMs ?? 5_000);
  return new Promise<ClientStatusResponse>((resolve, reject) => {
    client.fetchClientStatus(
      create(ClientStatusRequestSchema, init),
      new Metadata(),
      { deadline },
      (error, response) => (response ? resolve(response) : reject(error)),
    );
  }).finally(() => client.close());
}

/**
 * A proxy has several entries when it has a stream per type, or while a dead connection of it has not been noticed:
 * of each type the newest stream that subscribed to it counts.
 */
function proxyStatus(id: string, unordered: ClientConfig[], contents: FetchOptions["contents"]): ProxyStatus {
  const configs = newestFirst(unordered);
  const [newest] = configs.map((config) => sessionOf(config));
  return {
    ...nodeFacts(configs[0]?.node ?? create(NodeSchema, { id })),
    protocol: newest?.protocol === "sotw" ? "sotw" : "delta",
    connectedAt: newest?.connectedAt ?? 0,
    revision: newest?.revision ?? 0,
    identity: newest?.identity ?? null,
    certificate: newest?.certificate ?? null,
    types: Object.fromEntries(
      shownKinds.map(({ typeUrl, shortName }) => [shortName, typeStatus(typeUrl, configs)]),
    ) as ProxyStatus["types"],
    resources: shownKinds.flatMap(({ typeUrl, shortName: type }) =>
      resourcesOfType(typeUrl, configs).map((it) =>
        resourceConfig(
          it,
          typeof contents === "boolean" ? contents : contents.type === type && contents.name === it.name,
        ),
      ),
    ),
  };
}

const newestFirst = (configs: readonly ClientConfig[]): ClientConfig[] =>
  configs.toSorted((a, b) => sessionOf(b).connectedAt - sessionOf(a).connectedAt);

interface SessionInfo {
  connectedAt: number;
  protocol: string;
  revision: number;
  identity: string | null;
  certificate: ProxyStatus["certificate"];
  types: JsonObject;
}

function sessionOf(config: ClientConfig): SessionInfo {
  const info = asObject(config.node?.metadata?.[sessionMetadataKey]);
  return {
    connectedAt: Date.parse(textOf(info.connectedAt) ?? "") || 0,
    protocol: textOf(info.protocol) ?? "delta",
    revision: Number(info.revision ?? 0),
    identity: textOf(info.identity) ?? null,
    certificate: certificateOf(asObject(info.certificate)),
    types: asObject(info.types),
  };
}

function certificateOf({ serial, issuer, notBefore, notAfter }: JsonObject): ProxyStatus["certificate"] {
  const [notBeforeMs, notAfterMs] = [Date.parse(textOf(notBefore) ?? ""), Date.parse(textOf(notAfter) ?? "")];
  if (Number.isNaN(notBeforeMs) || Number.isNaN(notAfterMs)) return null;
  return { serial: textOf(serial) ?? "", issuer: textOf(issuer) ?? "", notBeforeMs, notAfterMs };
}

function typeStatus(typeUrl: string, configs: ClientConfig[]): TypeStatus {
  const resources = resourcesOfType(typeUrl, configs);
  const types = configs.map((config) => sessionOf(config).types).find((candidate) => typeUrl in candidate);
  const subscription = types ? asObject(types[typeUrl]) : null;
  const state = worst(resources, subscription);
  const errors = resources.flatMap((resource) =>
    resource.errorState
      ? [
          {
            resource: resource.name,
            detail: resource.errorState.details,
            origin: originOf(resource),
            refusedAtMs: msOf(resource.errorState.lastUpdateAttempt),
            inForceSinceMs: msOf(resource.lastUpdated),
          },
        ]
      : [],
  );
  const times = resources.flatMap(({ errorState, lastUpdated }) =>
    state === "ERROR" ? (msOf(errorState?.lastUpdateAttempt) ?? []) : (msOf(lastUpdated) ?? []),
  );
  return {
    state,
    resources: resources.length,
    acknowledged: resources.filter(({ configStatus }) => !isOwed(configStatus, subscription)).length,
    sinceMs: sinceOf(state, times, subscription),
    errors,
    subscribed: subscription !== null,
    nacks: Number(subscription?.nacks ?? 0),
  };
}

/** Without a wildcard, what was not asked for is not owed. */
const isOwed = (status: ConfigStatus, subscription: JsonObject | null): boolean =>
  status === ConfigStatus.NOT_SENT ? subscription?.wildcard === true : status !== ConfigStatus.SYNCED;

/** Since when it is so: lagging since the response that is unanswered, not since the last one that was answered. */
function sinceOf(state: ResourceState, times: readonly number[], subscription: JsonObject | null): number | null {
  if (state === "NOT_SENT") return null;
  const waitingSince = state === "STALE" ? Date.parse(textOf(subscription?.waitingSince) ?? "") : Number.NaN;
  if (!Number.isNaN(waitingSince)) return waitingSince;
  return times.length === 0 ? null : Math.max(...times);
}

function worst(resources: ClientConfig_GenericXdsConfig[], subscription: JsonObject | null): ResourceState {
  if (!subscription) return "NOT_SENT";
  const states = new Set(resources.map((resource) => resource.configStatus));
  if (states.has(ConfigStatus.ERROR)) return "ERROR";
  if (subscription.waiting === true || states.has(ConfigStatus.STALE)) return "STALE";
  return states.has(ConfigStatus.NOT_SENT) && isOwed(ConfigStatus.NOT_SENT, subscription) ? "STALE" : "SYNCED";
}

function resourcesOfType(typeUrl: string, configs: ClientConfig[]): ClientConfig_GenericXdsConfig[] {
  const config = configs.find((candidate) => typeUrl in sessionOf(candidate).types) ?? configs[0];
  return config?.genericXdsConfigs.filter((resource) => resource.typeUrl === typeUrl) ?? [];
}

function resourceConfig(resource: ClientConfig_GenericXdsConfig, contents: boolean): ResourceConfig {
  const failed = resource.errorState?.failedConfiguration;
  return {
    type: kindOf(resource.typeUrl)?.shortName ?? "LDS",
    name: resource.name,
    version: resource.versionInfo,
    state: stateName(resource.configStatus),
    updatedAt: msOf(resource.lastUpdated),
    error: resource.errorState?.details ?? null,
    config: contents && resource.xdsConfig ? shownJson(resource.xdsConfig, resource.name) : null,
    refusedConfig: contents && failed ? shownJson(failed, resource.name) : null,
  };
}

/** A secret's PEM as text instead of base64 of it; and whoever answered, no key goes on from here. */
const shownJson = (any: Any, name: string): JsonValue =>
  any.typeUrl === TypeUrl.secret
    ? readable(anyToJson({ ...any, value: shownSecret(any.value, name) }))
    : anyToJson(any);

function readable(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(readable);
  if (typeof json !== "object" || json === null) return json;
  if (typeof json.inlineBytes === "string") {
    return { inlineString: Buffer.from(json.inlineBytes, "base64").toString("utf8") };
  }
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, readable(value)]));
}

const stateNames: Partial<Record<ConfigStatus, ResourceState>> = {
  [ConfigStatus.SYNCED]: "SYNCED",
  [ConfigStatus.STALE]: "STALE",
  [ConfigStatus.ERROR]: "ERROR",
};
const stateName = (status: ConfigStatus): ResourceState => stateNames[status] ?? "NOT_SENT";

/** The config object that a refused resource came from. */
function originOf(resource: ClientConfig_GenericXdsConfig): string | null {
  const failed = resource.errorState?.failedConfiguration;
  return failed ? configOriginOf(failed) : null;
}

/** The first `filter_metadata.istio.config` found in a resource, on itself or on what it contains. */
export function configOriginOf(any: Pick<Any, "typeUrl" | "value">): string | null {
  return findOrigin(anyToJson(any as Any));
}

function findOrigin(json: JsonValue | undefined): string | null {
  if (Array.isArray(json)) {
    for (const item of json) {
      const found = findOrigin(item);
      if (found) return found;
    }
    return null;
  }
  if (typeof json !== "object" || json === null) return null;
  const config = textOf(asObject(asObject(asObject(json.metadata).filterMetadata).istio).config);
  return config ?? findOrigin(Object.values(json));
}

const msOf = (timestamp: Timestamp | undefined): number | null =>
  timestamp ? Number(timestamp.seconds) * 1000 + Math.round(timestamp.nanos / 1e6) : null;

const asObject = (json: JsonValue | undefined): JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json) ? json : {};

const textOf = (json: JsonValue | undefined): string | undefined =>
  typeof json === "string" && json !== "" ? json : undefined;
