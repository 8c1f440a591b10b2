import type { Timers } from "../../../lib/timers.ts";
import type { Metadata } from "../../record.ts";
import { Stats } from "../../stats.ts";
import type { ClusterConfig } from "../cluster-config.ts";
import { ClusterStats } from "../cluster-stats.ts";
import { openConnection, type Place } from "../connector.ts";
import type { Endpoint } from "../endpoint.ts";
import { HealthFlag } from "../health-flags.ts";
import { openSocket } from "../open-socket.ts";
import { transportOf } from "../transport.ts";
import type { HealthCheckConfig } from "./check-config.ts";
import { CheckEvents, type EventIo } from "./check-events.ts";
import { CheckStats } from "./check-stats.ts";
import { grpcCheckBody, grpcCheckHead, isServing } from "./grpc-check.ts";
import { httpCheckHead, judgeHttp } from "./http-check.ts";
import { HttpExchange } from "./http-exchange.ts";
import { type CheckResult, CheckSession, type Prober } from "./session.ts";
import { TcpCheck } from "./tcp-check.ts";

export interface CheckerIo {
  readonly stats: Stats;
  /** `cluster.<name>.` */
  readonly prefix: string;
  readonly timers: Timers;
  readonly now: () => number;
  readonly random: () => number;
  /** Absent: nobody is told of what happens. */
  readonly events?: EventIo | undefined;
  /** In force. */
  readonly config: () => ClusterConfig;
  hasTraffic(): boolean;
  /** @param changed whether the host's flags are other ones now */
  onChecked(endpoint: Endpoint, passed: boolean, changed: boolean): void;
}

/** Active checks of one cluster's hosts, over connections of their own. */
export class HealthChecker {
  readonly config: HealthCheckConfig;
  private readonly io: CheckerIo;
  private readonly stats: CheckStats;
  private readonly events: CheckEvents | undefined;
  private readonly sessions = new Map<Endpoint, CheckSession>();
  /** What checks do is not the cluster's traffic. */
  private readonly apart: ClusterStats;

  constructor(config: HealthCheckConfig, io: CheckerIo) {
    this.config = config;
    this.io = io;
    this.stats = new CheckStats(io.stats, io.prefix);
    this.events = io.events && new CheckEvents(config, io.config().name, io.events);
    this.apart = new ClusterStats(new Stats(), "");
  }

  /** Whether every host has been asked once. */
  get knowsAll(): boolean {
    for (const { first } of this.sessions.values()) if (first) return false;
    return true;
  }

  /** Whether a host has been asked once. */
  knows(endpoint: Endpoint): boolean {
    return this.sessions.get(endpoint)?.first === false;
  }

  /** Begins to check those that are new, and stops with those that are gone. */
  follow(endpoints: readonly Endpoint[]): void {
    const wanted = new Set(endpoints.filter(({ config }) => config.check?.disabled !== true));
    for (const [endpoint, session] of this.sessions) {
      if (wanted.has(endpoint)) continue;
      this.sessions.delete(endpoint);
      session.close();
    }
    const fresh = [...wanted].filter((endpoint) => !this.sessions.has(endpoint));
    for (const endpoint of fresh) this.sessions.set(endpoint, this.newSession(endpoint));
    for (const endpoint of fresh) this.sessions.get(endpoint)?.start();
  }

  failAtOnce(endpoint: Endpoint): void {
    this.sessions.get(endpoint)?.failAtOnce();
  }

  close(): void {
    for (const session of this.sessions.values()) session.close();
    this.sessions.clear();
  }

  private newSession(endpoint: Endpoint): CheckSession {
    const { timers, now, random } = this.io;
    const io = {
      timers,
      now,
      random,
      stats: this.stats,
      events: this.events,
      hasTraffic: () => this.io.hasTraffic(),
      onChecked: (checked: Endpoint, passed: boolean, changed: boolean) => this.io.onChecked(checked, passed, changed),
    };
    return new CheckSession(endpoint, this.config, io, (done) => this.newProber(endpoint, done));
  }

  private newProber(endpoint: Endpoint, done: (result: CheckResult) => void): Prober {
    const { check, reuseConnection: reuse } = this.config;
    const config = this.io.config();
    const secure = transportOf(config, this.metadataOf(endpoint)).tls !== undefined;
    switch (check.kind) {
      case "tcp":
        return new TcpCheck({
          config: check,
          reuse,
          done,
          open: () => openSocket(this.host(), this.placeOf(endpoint)),
        });
      case "http": {
        const host = hostOf(endpoint, check.host, config);
        return this.exchange(endpoint, check.protocol, {
          head: () => httpCheckHead(check, host, secure),
          body: check.send,
          maxBytes: check.receive.length === 0 ? 0 : check.maxBytes,
          done: (response) => {
            if (response === undefined) done(unreachable);
            else {
              const { result, atOnce } = judgeHttp(check, response, this.stats);
              if (atOnce) endpoint.health.set(HealthFlag.excludedAtOnce);
              done(result);
            }
          },
        });
      }
      case "grpc": {
        const host = hostOf(endpoint, check.authority, config);
        return this.exchange(endpoint, "http2", {
          head: () => grpcCheckHead(check, host, secure),
          body: grpcCheckBody(check),
          maxBytes: largestAnswer,
          done: (response) => {
            if (response === undefined) done(unreachable);
            else done(isServing(response) ? serving : notServing);
          },
        });
      }
    }
  }

  private exchange(
    endpoint: Endpoint,
    protocol: "http1" | "http2",
    options: Omit<ConstructorParameters<typeof HttpExchange>[0], "open" | "reuse">,
  ): HttpExchange {
    return new HttpExchange({
      ...options,
      reuse: this.config.reuseConnection,
      open: (owner) => openConnection(this.host(), this.placeOf(endpoint), protocol, owner).connection,
    });
  }

  private host() {
    return { config: this.io.config(), stats: this.apart, timers: this.io.timers };
  }

  private placeOf(endpoint: Endpoint): Place {
    const { address, port, check } = endpoint.config;
    const metadata = this.metadataOf(endpoint);
    return { address: check?.address || address, port: check?.port || port, metadata };
  }

  /** By which the transport of a check is chosen. */
  private metadataOf({ config }: Endpoint): Metadata | undefined {
    const { transport } = this.config;
    return transport === undefined ? config.metadata : { "envoy.transport_socket_match": transport };
  }
}

/** Whom the check is for: what the endpoint says goes before the check, and the cluster's name is for when neither says. */
const hostOf = ({ config: { check } }: Endpoint, own: string, { name }: ClusterConfig): string =>
  check?.hostname || own || name;

const unreachable: CheckResult = { passed: false, failure: "network", retriable: false };
const serving: CheckResult = { passed: true, degraded: false };
const notServing: CheckResult = { passed: false, failure: "active", retriable: false };
/** An answer is a few bytes long. */
const largestAnswer = 65_536;
