import type { Any } from "@bufbuild/protobuf/wkt";
import type { ExtensionConfigSource } from "../../gen/proto/envoy/config/core/v3/config_source_pb.js";
import { at } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import type { NetworkFilter } from "../network/network-filter.ts";
import { ResponseFlag } from "../record.ts";
import type { HttpFilter, RequestContext, Step } from "../request/filter.ts";

/** Configs that discovery has sent, by name. */
export type Extensions = ReadonlyMap<string, Any>;

/** Where a filter by discovery goes, of whatever kind. */
export interface DiscoveredPlace {
  readonly name: string;
  /** How long its listener waits for the first answer; 0: without end. */
  readonly timeoutMs: number;
  /** Whether the listener need not wait for it any more. */
  readonly settled: boolean;
  /** Throws an Error; what is in force stays. @returns brings the filter into force */
  prepare(config: Any): () => void;
  /** Nobody has it, or it is gone. */
  fallBack(): void;
}

/**
 * The place of a filter that comes by discovery. What it holds changes under its listener and no connection notices; a request goes on with the filters that it
 * began with. https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/extension
 */
export class DiscoveredFilter<Filter = HttpFilter> implements DiscoveredPlace {
  readonly name: string;
  /** How long its listener waits for the first answer; 0: without end. */
  readonly timeoutMs: number;
  /** Undefined: there is none, not even a default. */
  current: Filter | undefined;
  /** Whether the listener need not wait for it any more. */
  settled: boolean;
  private readonly typeUrls: readonly string[];
  private readonly fallback: Filter | undefined;
  private readonly build: (config: Any) => Filter;
  /** Called with every change. */
  changed: () => void = () => {};

  /** Throws an Error naming the field. @param known what discovery has sent so far */
  constructor(name: string, source: ExtensionConfigSource, known: Extensions, build: (config: Any) => Filter) {
    const { configSource, defaultConfig, applyDefaultConfigWithoutWarming: atOnce, typeUrls } = source;
    if (configSource?.configSourceSpecifier.case !== "ads") throw new Error("config_source: only ads: {} is supported");
    if (typeUrls.length === 0) throw new Error("type_urls: at least one is required");
    this.name = name;
    this.build = build;
    this.typeUrls = typeUrls.map(typeName);
    this.timeoutMs = durationMs(configSource.initialFetchTimeout) ?? 15_000;
    this.fallback = defaultConfig && at("default_config", () => this.compile(defaultConfig));
    const sent = known.get(name);
    // One that another listener's places take need not be of a type for this one.
    this.current = sent !== undefined && this.typeUrls.includes(typeName(sent.typeUrl)) ? build(sent) : undefined;
    this.settled = this.current !== undefined || (atOnce && this.fallback !== undefined);
    this.current ??= this.settled ? this.fallback : undefined;
  }

  prepare(config: Any): () => void {
    const filter = this.compile(config);
    return () => this.settle(filter);
  }

  private compile(config: Any): Filter {
    if (!this.typeUrls.includes(typeName(config.typeUrl))) {
      throw new Error(`${typeName(config.typeUrl)} is none of its type_urls (${this.typeUrls.join(", ")})`);
    }
    return this.build(config);
  }

  /** Nobody has it, or it is gone. */
  fallBack(): void {
    this.settle(this.fallback);
  }

  private settle(filter: Filter | undefined): void {
    this.current = filter;
    this.settled = true;
    this.changed();
  }
}

/** Stands where a filter should be that is not there: what it would have refused must not pass. */
export const missingFilter: HttpFilter = {
  name: "",
  onRequest: (request: RequestContext): Step => request.reply(500, "", "", ResponseFlag.noFilterConfigFound),
};

/** The same before a connection is served: it is closed. */
export const missingNetworkFilter: NetworkFilter = {
  accept: () => ({ details: "network_filter_config_missing", flags: 0, delayMs: 0 }),
};

const typeName = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
