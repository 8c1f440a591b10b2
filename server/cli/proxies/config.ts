import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { stringify } from "yaml";
import type { ResourceConfig } from "../../xds/csds-client.ts";
import type { XdsType } from "../../xds/resource-kinds.ts";
import { columns } from "../columns.ts";
import { portOffsetOption } from "../config/client.ts";
import { type CliIo, processIo, runCommand } from "../config/io.ts";
import { askProxies, findProxy, outputOption, type XdsOption, xdsOption } from "./ask.ts";

const help = `
Shows what is in force in the proxy; for what it was sent and has not acknowledged yet, the version before.

Examples:
  limpid proxy-config cluster reviews-v1           clusters, a line each
  limpid pc route productpage-v1 -o yaml           whole, as Envoy has them
  limpid pc all productpage-v1.default -o json     everything`;

interface Options extends XdsOption {
  output: "table" | "json" | "yaml";
  namespace?: string;
}

interface Section {
  /** What istioctl calls it besides. */
  aliases: readonly string[];
  types: readonly XdsType[];
  heads: readonly string[];
  cells(resource: ResourceConfig, config: JsonObject): string[][];
}

const sections: Record<string, Section> = {
  listener: {
    aliases: ["listeners", "l"],
    types: ["LDS"],
    heads: ["ADDRESS", "PORT", "LISTENER"],
    cells: ({ name }, config) => {
      const { address, portValue } = objectIn(config, "address", "socketAddress");
      return [[String(address ?? "-"), String(portValue ?? "-"), name]];
    },
  },
  route: {
    aliases: ["routes", "r"],
    types: ["RDS", "VHDS"],
    heads: ["ROUTE CONFIGURATION", "VIRTUAL HOST", "DOMAINS", "ROUTES"],
    cells: ({ name, type }, config) => {
      const [table = name] = name.split("/");
      const hosts = type === "VHDS" ? [config] : arrayIn(config, "virtualHosts");
      return hosts.map((host) => [
        table,
        String(host.name ?? "").replace(`${table}/`, ""),
        shortList(host.domains),
        String(arrayIn(host, "routes").length),
      ]);
    },
  },
  cluster: {
    aliases: ["clusters", "c"],
    types: ["CDS"],
    heads: ["SERVICE", "PORT", "SUBSET", "DIRECTION", "DISCOVERY"],
    cells: ({ name }, config) => {
      const [direction = "", port = "", subset = "", host] = name.split("|");
      const kind = String(config.type ?? objectIn(config, "clusterType").name ?? "STATIC");
      return [host === undefined ? [name, "-", "-", "-", kind] : [host, port, subset || "-", direction, kind]];
    },
  },
  endpoint: {
    aliases: ["endpoints", "ep"],
    types: ["EDS"],
    heads: ["ENDPOINT", "HEALTH", "CLUSTER"],
    cells: ({ name }, config) =>
      arrayIn(config, "endpoints")
        .flatMap((locality) => arrayIn(locality, "lbEndpoints"))
        .map((one) => {
          const { address, portValue } = objectIn(one, "endpoint", "address", "socketAddress");
          return [`${address}:${portValue}`, String(one.healthStatus ?? "HEALTHY"), name];
        }),
  },
  secret: {
    aliases: ["secrets", "s"],
    types: ["SDS"],
    heads: ["SECRET", "KIND"],
    cells: ({ name }, config) => [[name, "tlsCertificate" in config ? "certificate and key" : "authorities"]],
  },
  extension: {
    aliases: ["extensions", "ecds"],
    types: ["ECDS"],
    heads: ["FILTER"],
    cells: ({ name }) => [[name]],
  },
  runtime: {
    aliases: ["rtds"],
    types: ["RTDS"],
    heads: ["LAYER", "KEY", "VALUE"],
    cells: ({ name }, config) =>
      Object.entries(objectIn(config, "layer")).map(([key, value]) => [name, key, JSON.stringify(value)]),
  },
};

/** `limpid proxy-config` */
export function registerProxyConfig(program: Command, io: CliIo = processIo): void {
  program
    .command("proxy-config")
    .alias("pc")
    .description("show what a proxy has: listeners, routes, clusters, endpoints, secrets")
    .addArgument(new Argument("<what>", "part of it, or all").argParser(sectionName))
    .argument("<proxy>", "<name>, <name>.<namespace> or its node id")
    .option("-n, --namespace <name>", "the namespace it is in")
    .addOption(outputOption())
    .addOption(xdsOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((what: string, proxy: string, options: Options) =>
      runCommand(io, () => proxyConfig(what, proxy, options, io)),
    );
}

/** `listener` for `listeners` and `l`. Throws an error that names what there is. */
function sectionName(text: string): string {
  const found = Object.entries(sections).find(([name, { aliases }]) => name === text || aliases.includes(text));
  if (found || text === "all") return found?.[0] ?? text;
  const names = Object.entries(sections).map(([name, { aliases }]) => [name, ...aliases].join("|"));
  throw new InvalidArgumentError(`It may be ${names.join(", ")} or all.`);
}

async function proxyConfig(what: string, wanted: string, options: Options, io: CliIo): Promise<void> {
  const { id } = findProxy(await askProxies(options, io, { contents: false }), wanted, options.namespace);
  const [proxy] = await askProxies(options, io, { nodeId: id, contents: true });
  const shown = Object.entries(sections).filter(([name]) => what === "all" || name === what);
  const types = new Set(shown.flatMap(([, section]) => section.types));
  const resources = (proxy?.resources ?? []).filter(({ type }) => types.has(type));
  const held = resources.flatMap(({ config }) => (config === null ? [] : [config]));
  if (options.output === "json") io.out(`${JSON.stringify(held, null, 2)}\n`);
  else if (options.output === "yaml") io.out(stringify(held, { lineWidth: 0, aliasDuplicateObjects: false }));
  else {
    const tables = shown.map(([, section]) => tableOf(section, resources)).filter(Boolean);
    io.out(tables.length > 0 ? tables.join("\n") : `${wanted} has no ${what === "all" ? "configuration" : what}.\n`);
  }
}

function tableOf({ types, heads, cells }: Section, all: readonly ResourceConfig[]): string {
  const resources = all.filter(({ type }) => types.includes(type));
  const rows = resources.flatMap((resource) =>
    cells(resource, objectIn(resource.config)).map((row) => [...row, resource.state.replace("_", " ")]),
  );
  return rows.length > 0 ? columns([[...heads, "STATE"], ...rows]) : "";
}

function objectIn(json: JsonValue | undefined, ...path: string[]): JsonObject {
  const [key, ...rest] = path;
  if (typeof json !== "object" || json === null || Array.isArray(json)) return {};
  return key === undefined ? json : objectIn(json[key], ...rest);
}

const arrayIn = (json: JsonObject, key: string): JsonObject[] => {
  const list = json[key];
  return Array.isArray(list) ? list.map((item) => objectIn(item)) : [];
};

function shortList(json: JsonValue | undefined): string {
  const list = Array.isArray(json) ? json.map(String) : [];
  return list.length > 2 ? `${list.slice(0, 2).join(", ")} and ${list.length - 2} more` : list.join(", ");
}
