import type { JsonObject } from "@bufbuild/protobuf";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CliError } from "../config/io.ts";
import { arrayIn, objectIn } from "./json.ts";

/** What is shown of a part of the configuration; unset: all of it. Names and meanings are istioctl's. */
export interface Filters {
  /** Part of it. */
  fqdn?: string;
  port?: number;
  direction?: string;
  subset?: string;
  address?: string;
  type?: string;
  status?: string;
  cluster?: string;
  name?: string;
}

type FilterName = keyof Filters;

/** Which part of the configuration each is for. https://istio.io/latest/docs/reference/commands/istioctl/#istioctl-proxy-config */
const filtersOf: Readonly<Record<string, readonly FilterName[]>> = {
  listener: ["address", "port", "type"],
  route: ["name"],
  cluster: ["fqdn", "port", "direction", "subset"],
  endpoint: ["address", "port", "cluster", "status"],
};

export function addFilterOptions(command: Command): Command {
  return command
    .option("--fqdn <name>", "clusters whose service's name contains this")
    .addOption(new Option("--port <number>", "clusters, listeners and endpoints of this port").argParser(portNumber))
    .addOption(new Option("--direction <way>", "clusters of this direction").choices(["inbound", "outbound"]))
    .option("--subset <name>", "clusters of this subset")
    .option("--address <address>", "listeners and endpoints at this address")
    .addOption(new Option("--type <protocol>", "listeners of this kind").choices(listenerTypes).argParser(listenerType))
    .addOption(new Option("--status <health>", "endpoints of this health").choices(statuses).argParser(healthStatus))
    .option("--cluster <name>", "endpoints of the cluster of this name")
    .option("--name <name>", "the route configuration of this name");
}

const listenerTypes = ["HTTP", "TCP", "HTTP+TCP"];
const statuses = ["healthy", "unhealthy", "draining", "timeout", "degraded"];

const listenerType = (text: string): string => oneOf(text.toUpperCase(), listenerTypes);
const healthStatus = (text: string): string => oneOf(text.toLowerCase(), statuses).toUpperCase();

function oneOf(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
}

function portNumber(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("It must be a port number, 1 to 65535.");
  return port;
}

/** What was asked of `what`, a part or `all`. Throws a CliError where that has nothing by which it could be told apart. */
export function filtersIn(what: string, options: Filters): Filters {
  const known = Object.keys(filterNames) as FilterName[];
  const given = known.filter((name) => options[name] !== undefined);
  const allowed = what === "all" ? known : (filtersOf[what] ?? []);
  const [wrong] = given.filter((name) => !allowed.includes(name));
  if (wrong !== undefined) {
    const parts = Object.keys(filtersOf).filter((part) => filtersOf[part]?.includes(wrong));
    const own = allowed.length > 0 ? `; ${what} has ${allowed.map((name) => `--${name}`).join(", ")}` : "";
    throw new CliError(`error: --${wrong} is for ${parts.join(", ")}, not for ${what}${own}`);
  }
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}

const filterNames: Record<FilterName, true> = {
  fqdn: true,
  port: true,
  direction: true,
  subset: true,
  address: true,
  type: true,
  status: true,
  cluster: true,
  name: true,
};

/** The resource with what is asked for of it; undefined: none of it is. */
export function narrowed(part: string, name: string, config: JsonObject, filters: Filters): JsonObject | undefined {
  const asked = (filtersOf[part] ?? []).filter((filter) => filters[filter] !== undefined);
  // A part that knows nothing of the filters is not what was asked for.
  if (Object.keys(filters).length > 0 && asked.length === 0) return undefined;
  if (part === "endpoint") return asked.length === 0 ? config : withEndpoints(name, config, filters);
  return asked.every((filter) => isAsked(part, filter, name, config, filters)) ? config : undefined;
}

function isAsked(part: string, filter: FilterName, name: string, config: JsonObject, filters: Filters): boolean {
  const wanted = filters[filter];
  if (part === "route") return name.split("/")[0] === wanted;
  if (part === "cluster") {
    const [direction = "", port = "", subset = "", host = ""] = name.includes("|") ? name.split("|") : [];
    if (filter === "fqdn") return host.includes(String(wanted).toLowerCase());
    return { direction, port, subset }[filter as "direction" | "port" | "subset"] === String(wanted);
  }
  const { address, portValue } = objectIn(config, "address", "socketAddress");
  if (filter === "type") return listenerTypeOf(config) === wanted;
  return filter === "port" ? portValue === wanted : isSameText(address, wanted);
}

/** What its chains end in. */
export function listenerTypeOf(config: JsonObject): string {
  const chains = [...arrayIn(config, "filterChains"), objectIn(config, "defaultFilterChain")];
  const types = chains.flatMap((chain) => arrayIn(chain, "filters")).map((it) => objectIn(it, "typedConfig")["@type"]);
  const has = (type: string) => types.some((it) => String(it).endsWith(`.${type}`));
  const found = [
    ...(has("HttpConnectionManager") || "apiListener" in config ? ["HTTP"] : []),
    ...(has("TcpProxy") ? ["TCP"] : []),
  ];
  return found.join("+") || "-";
}

function withEndpoints(name: string, config: JsonObject, filters: Filters): JsonObject | undefined {
  if (filters.cluster !== undefined && name !== filters.cluster) return undefined;
  const endpoints = arrayIn(config, "endpoints").flatMap((locality) => {
    const lbEndpoints = arrayIn(locality, "lbEndpoints").filter((one) => {
      const { address, portValue } = objectIn(one, "endpoint", "address", "socketAddress");
      return (
        (filters.port === undefined || portValue === filters.port) &&
        (filters.address === undefined || isSameText(address, filters.address)) &&
        (filters.status === undefined || endpointStatus(one) === filters.status)
      );
    });
    return lbEndpoints.length > 0 ? [{ ...locality, lbEndpoints }] : [];
  });
  return endpoints.length > 0 ? { ...config, endpoints } : undefined;
}

/** One of which nothing is said gets requests. */
export const endpointStatus = (endpoint: JsonObject): string => {
  const status = String(endpoint.healthStatus ?? "UNKNOWN");
  return status === "UNKNOWN" ? "HEALTHY" : status;
};

const isSameText = (a: unknown, b: unknown): boolean => String(a).toLowerCase() === String(b).toLowerCase();
