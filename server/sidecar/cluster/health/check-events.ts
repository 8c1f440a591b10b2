import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Endpoint } from "../endpoint.ts";
import type { HealthCheckConfig } from "./check-config.ts";
import type { CheckFailure, FailedCheck } from "./session.ts";

/** What the log of checks needs of its proxy. */
export interface EventIo {
  /** Takes lines for a file. */
  lines(path: string): (line: string) => void;
  /** Unix milliseconds. */
  now(): number;
}

/**
 * Says into files what checks have found out about hosts: a HealthCheckEvent a line, in JSON.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/health_checking#health-check-event-logging
 */
export class CheckEvents {
  private readonly config: HealthCheckConfig;
  private readonly cluster: string;
  private readonly now: () => number;
  private readonly sinks: readonly ((line: string) => void)[];

  constructor(config: HealthCheckConfig, cluster: string, io: EventIo) {
    this.config = config;
    this.cluster = cluster;
    this.now = () => io.now();
    this.sinks = config.events.paths.map((path) => io.lines(path));
  }

  /** One check has failed. */
  failed(endpoint: Endpoint, result: FailedCheck, first: boolean): void {
    if (!first && !this.config.events.everyFailure) return;
    this.log(endpoint, { health_check_failure_event: { ...failureOf(result), first_check: first } });
  }

  /** One has passed, and has not brought the host back. */
  succeeded(endpoint: Endpoint): void {
    if (this.config.events.everySuccess) this.log(endpoint, { successful_health_check_event: {} });
  }

  ejected(endpoint: Endpoint, result: FailedCheck): void {
    this.log(endpoint, { eject_unhealthy_event: failureOf(result) });
  }

  added(endpoint: Endpoint, first: boolean): void {
    this.log(endpoint, { add_healthy_event: { first_check: first } });
  }

  /** @param degraded whether it is so from now on */
  degraded(endpoint: Endpoint, degraded: boolean): void {
    this.log(endpoint, degraded ? { degraded_healthy_host: {} } : { no_longer_degraded_host: {} });
  }

  private log({ config: host }: Endpoint, event: JsonObject): void {
    if (this.sinks.length === 0) return;
    const { region, zone, subZone } = host.locality;
    const json: JsonValue = {
      health_checker_type: checkerTypes[this.config.check.kind],
      host: { socket_address: socketAddress(host.address, host.port) },
      cluster_name: this.cluster,
      ...event,
      timestamp: new Date(this.now()).toISOString(),
      locality: { region, zone, sub_zone: subZone },
      ...(host.metadata && { metadata: { filter_metadata: host.metadata as JsonObject, typed_filter_metadata: {} } }),
    };
    const line = `${JSON.stringify(json)}\n`;
    for (const sink of this.sinks) sink(line);
  }
}

const failureOf = ({ failure, status = 0 }: FailedCheck): JsonObject => ({
  failure_type: failureTypes[failure],
  http_status_code: status,
});

const failureTypes: Record<CheckFailure, string> = {
  active: "ACTIVE",
  passive: "PASSIVE",
  network: "NETWORK",
  timeout: "NETWORK_TIMEOUT",
};

const checkerTypes: Record<HealthCheckConfig["check"]["kind"], string> = { http: "HTTP", tcp: "TCP", grpc: "GRPC" };

/** With all fields that Envoy writes, whether or not they say anything. */
const socketAddress = (address: string, port: number): JsonObject => ({
  protocol: "TCP",
  address,
  port_value: port,
  resolver_name: "",
  ipv4_compat: false,
  network_namespace_filepath: "",
});
