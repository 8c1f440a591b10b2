import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { stringify } from "yaml";
import type { ResourceConfig } from "../../xds/csds-client.ts";
import type { XdsType } from "../../xds/resource-kinds.ts";
import { columns } from "../columns.ts";
import { portOffsetOption } from "../config/client.ts";
import { type CliIo, processIo, runCommand } from "../config/io.ts";
import { askProxies, findProxy, type XdsOption, xdsOption } from "./ask.ts";
import { arrayIn, objectIn } from "./json.ts";
import { addFilterOptions, endpointStatus, type Filters, filtersIn, listenerTypeOf, narrowed } from "./narrow.ts";

const help = `
Shows what is in force in the proxy; for what it was sent and has not acknowledged yet, the version before.

Examples:
  limpid proxy-config cluster reviews-v1           clusters, a line each
  limpid pc route productpage-v1 -o yaml           whole, as Envoy has them
  limpid pc all productpage-v1.default -o json     everything
  limpid pc cluster productpage-v1 --fqdn reviews --direction outbound
  limpid pc endpoint productpage-v1 --cluster "outbound|9080|v1|reviews.default.svc.cluster.local" --status healthy
  limpid pc listener productpage-v1 --port 9080 --type HTTP -o json
  limpid pc route productpage-v1 --name http_proxy

listener has --address, --port and --type; route --name; cluster --fqdn, --port, --direction and --subset; endpoint
--address, --port, --cluster and --status; all has every one of them, and shows the parts that know them.`;

interface Options extends XdsOption, Filters {
  /** `short` is istioctl's word for a table. */
  output: "table" | "short" | "json" | "yaml";
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
    heads: ["ADDRESS", "PORT", "TYPE", "LISTENER"],
    cells: ({ name }, config) => {
      const { address, portValue } = objectIn(config, "address", "socketAddress");
      return [[String(address ?? "-"), String(portValue ?? "-"), listenerTypeOf(config), name]];
    },
  },
  route: {
    aliases: ["routes", "r"],
    types: ["RDS", "VHDS"],
    heads: ["ROUTE CONFIGURATION", "VIRTUAL HOST", "DOMAINS", "ROUTES", "VIRTUAL SERVICE"],
    cells: ({ name, type }, config) => {
      const [table = name] = name.split("/");
      const hosts = type === "VHDS" ? [config] : arrayIn(config, "virtualHosts");
      return hosts.map((host) => [
        table,
        String(host.name ?? "").replace(`${table}/`, ""),
        shortList(host.domains),
        String(arrayIn(host, "routes").length),
        originIn(arrayIn(host, "routes")[0] ?? {}),
      ]);
    },
  },
  cluster: {
    aliases: ["clusters", "c"],
    types: ["CDS"],
    heads: ["SERVICE", "PORT", "SUBSET", "DIRECTION", "DISCOVERY", "DESTINATION RULE"],
    cells: ({ name }, config) => {
      const [direction = "", port = "", subset = "", host] = name.split("|");
      const kind = String(config.type ?? objectIn(config, "clusterType").name ?? "STATIC");
      const rule = originIn(config);
      return [
        host === undefined ? [name, "-", "-", "-", kind, rule] : [host, port, subset || "-", direction, kind, rule],
      ];
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
          return [`${address}:${portValue}`, endpointStatus(one), name];
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
  const command = program
    .command("proxy-config")
    .alias("pc")
    .description("show what a proxy has: listeners, routes, clusters, endpoints, secrets")
    .addArgument(new Argument("<what>", "part of it, or all").argParser(sectionName))
    .argument("<proxy>", "<name>, <name>.<namespace> or its node id")
    .option("-n, --namespace <name>", "the namespace it is in")
    .addOption(
      new Option("-o, --output <format>", "form of the output")
        .choices(["table", "short", "json", "yaml"])
        .default("table"),
    )
    .addOption(xdsOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((what: string, proxy: string, options: Options) =>
      runCommand(io, () => proxyConfig(what, proxy, options, io)),
    );
  addFilterOptions(command);
}

/** `listener` for `listeners` and `l`. Throws an error that names what there is. */
function sectionName(text: string): string {
  const found = Object.entries(sections).find(([name, { aliases }]) => name === text || aliases.includes(text));
  if (found || text === "all") return found?.[0] ?? text;
  const names = Object.entries(sections).map(([name, { aliases }]) => [name, ...aliases].join("|"));
  throw new InvalidArgumentError(`It may be ${names.join(", ")} or all.`);
}

async function proxyConfig(what: string, wanted: string, options: Options, io: CliIo): Promise<void> {
  const filters = filtersIn(what, options);
  const { id } = findProxy(await askProxies(options, io, { contents: false }), wanted, options.namespace);
  const [proxy] = await askProxies(options, io, { nodeId: id, contents: true });
  const shown = Object.entries(sections).filter(([name]) => what === "all" || name === what);
  const parts = shown.map(([name, section]) => ({
    section,
    resources: (proxy?.resources ?? [])
      .filter(({ type }) => section.types.includes(type))
      .flatMap((resource): ResourceConfig[] => {
        const config = narrowed(name, resource.name, objectIn(resource.config), filters);
        return config === undefined ? [] : [{ ...resource, config: resource.config && config }];
      }),
  }));
  const held = parts.flatMap(({ resources }) => resources).flatMap(({ config }) => (config === null ? [] : [config]));
  if (options.output === "json") io.out(`${JSON.stringify(held, null, 2)}\n`);
  else if (options.output === "yaml") io.out(stringify(held, { lineWidth: 0, aliasDuplicateObjects: false }));
  else {
    const tables = parts.map(({ section, resources }) => tableOf(section, resources)).filter(Boolean);
    const nothing = what === "all" ? "configuration" : what;
    const asked = Object.entries(filters).map(([name, value]) => ` --${name} ${value}`);
    io.out(tables.length > 0 ? tables.join("\n") : `${wanted} has no ${nothing}${asked.join("")}.\n`);
  }
}

function tableOf({ heads, cells }: Section, resources: readonly ResourceConfig[]): string {
  const rows = resources.flatMap((resource) =>
    cells(resource, objectIn(resource.config)).map((row) => [...row, resource.state.replace("_", " ")]),
  );
  return rows.length > 0 ? columns([[...heads, "STATE"], ...rows]) : "";
}

/** The object that it was made from, `name.namespace`. */
function originIn(config: JsonObject): string {
  const path = String(objectIn(config, "metadata", "filterMetadata", "istio").config ?? "");
  const [, namespace, name] = /\/namespaces\/([^/]+)\/[^/]+\/([^/]+)$/.exec(path) ?? [];
  return name === undefined ? "-" : `${name}.${namespace}`;
}

function shortList(json: JsonValue | undefined): string {
  const list = Array.isArray(json) ? json.map(String) : [];
  return list.length > 2 ? `${list.slice(0, 2).join(", ")} and ${list.length - 2} more` : list.join(", ");
}
