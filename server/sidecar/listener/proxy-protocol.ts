import type { Socket } from "node:net";
import {
  ProxyProtocolPassThroughTLVs_PassTLVsMatchType as PassType,
  ProxyProtocolConfig_Version as Version,
} from "../../gen/proto/envoy/config/core/v3/proxy_protocol_pb.js";
import type { ProxyProtocol } from "../../gen/proto/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { WheelTimer } from "../../lib/timer-wheel.ts";
import type { Timers } from "../../lib/timers.ts";
import { type Proxied, setProxied } from "../http/addresses.ts";
import { type ProxyHeader, readProxyHeader } from "../http/proxy-header.ts";
import type { Counter, Stats } from "../stats.ts";
import type { Accepted } from "./accepted.ts";

/** Envoy's `proxy_protocol` listener filter. */
export interface ProxyProtocolOptions {
  /** Connections without a header are taken as they are. */
  readonly optional: boolean;
  readonly disallowed: ReadonlySet<1 | 2>;
  readonly passesOn: (type: number) => boolean;
  readonly statPrefix: string;
}

export function compileProxyProtocol(config: ProxyProtocol): ProxyProtocolOptions {
  const { passThroughTlvs: pass } = config;
  const types = new Set(pass?.tlvType);
  return {
    optional: config.allowRequestsWithoutProxyProtocol,
    disallowed: new Set(config.disallowedVersions.map((version) => (version === Version.V2 ? 2 : 1))),
    passesOn: (type) => pass !== undefined && (pass.matchType === PassType.INCLUDE_ALL || types.has(type)),
    statPrefix: config.statPrefix === "" ? "proxy_proto." : `proxy_proto.${config.statPrefix}.`,
  };
}

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/listener_filters/proxy_protocol#statistics */
class ProxyProtocolStats {
  private readonly stats: Stats;
  private readonly prefix: string;
  readonly errors: Counter;

  constructor(stats: Stats, prefix: string, listenerPrefix: string) {
    this.stats = stats;
    this.prefix = prefix;
    this.errors = stats.counter(`${listenerPrefix}downstream_cx_proxy_proto_error`);
  }

  version(version: 1 | 2, what: "found" | "disallowed" | "error"): void {
    this.stats.counter(`${this.prefix}versions.v${version}.${what}`).inc();
  }

  none(allowed: boolean): void {
    this.stats.counter(`${this.prefix}not_found_${allowed ? "allowed" : "disallowed"}`).inc();
  }
}

interface ReaderIo {
  readonly timers: Timers;
  readonly stats: Stats;
  /** Of the listener's stats. */
  readonly listenerPrefix: string;
  /** 0: without end. */
  readonly timeoutMs: number;
}

/** Reads who a connection is really from, off its beginning, and puts the rest back. */
export class ProxyHeaderReader implements Accepted {
  readonly requestedAt = 0;
  private readonly socket: Socket;
  private readonly options: ProxyProtocolOptions;
  private readonly stats: ProxyProtocolStats;
  private readonly done: (ok: boolean) => void;
  private readonly timer = new WheelTimer(() => this.finish(false));
  private bytes: Buffer = Buffer.alloc(0);
  private over = false;

  /** @param done called once; false: the connection is gone, or to be closed */
  constructor(socket: Socket, options: ProxyProtocolOptions, io: ReaderIo, done: (ok: boolean) => void) {
    this.socket = socket;
    this.options = options;
    this.stats = new ProxyProtocolStats(io.stats, options.statPrefix, io.listenerPrefix);
    this.done = done;
    socket.on("data", this.onData);
    socket.on("end", this.onEnd);
    socket.on("close", this.onEnd);
    socket.on("error", ignore);
    if (io.timeoutMs > 0) io.timers.arm(this.timer, io.timeoutMs);
  }

  drain(): void {}

  closeIdle(): void {}

  destroy(): void {
    this.finish(false);
    this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    const header = readProxyHeader(this.bytes);
    if (header.kind !== "incomplete") this.finish(this.judge(header));
  };

  private readonly onEnd = (): void => this.finish(false);

  private judge(header: Exclude<ProxyHeader, { kind: "incomplete" }>): boolean {
    const { options, stats } = this;
    if (header.kind === "none") {
      stats.none(options.optional);
      if (!options.optional) stats.errors.inc();
      return options.optional;
    }
    if (options.disallowed.has(header.version)) {
      stats.version(header.version, "disallowed");
      stats.errors.inc();
      return false;
    }
    if (header.kind === "bad") {
      stats.version(header.version, "error");
      stats.errors.inc();
      return false;
    }
    stats.version(header.version, "found");
    this.bytes = this.bytes.subarray(header.length);
    setProxied(this.socket, header.proxied && this.withAllowed(header.proxied));
    return true;
  }

  private withAllowed(proxied: Proxied): Proxied {
    return { ...proxied, tlvs: proxied.tlvs.filter(({ type }) => this.options.passesOn(type)) };
  }

  private finish(ok: boolean): void {
    if (this.over) return;
    this.over = true;
    this.timer.cancel();
    const { socket, bytes } = this;
    socket.pause();
    socket.off("data", this.onData);
    socket.off("end", this.onEnd);
    socket.off("close", this.onEnd);
    socket.off("error", ignore);
    if (ok && bytes.length > 0) socket.unshift(bytes);
    this.bytes = Buffer.alloc(0);
    this.done(ok);
  }
}

const ignore = (): void => {};
