import type { Command } from "commander";
import { stringify } from "yaml";
import { KnownProxyList } from "../../contract/index.ts";
import { meshPorts, parsePortOffset } from "../../fleet/ports.ts";
import { createHttpClient } from "../../lib/http-client.ts";
import type { ProxyStatus } from "../../xds/csds-client.ts";
import { columns } from "../columns.ts";
import { portOffsetOption } from "../config/client.ts";
import { type CliIo, processIo, runCommand } from "../config/io.ts";
import { askProxies, findProxy, outputOption, type XdsOption, xdsOption } from "./ask.ts";

const help = `
SYNCED: the proxy has acknowledged the last that it was sent. STALE: not yet. ERROR: it refused something, and the version before is in force.
NOT SENT: it has not asked.

Examples:
  limpid proxy-status                  every connected proxy
  limpid proxy-status reviews-v1       one, with what it refused and why
  limpid ps -o json                    for programs`;

interface Options extends XdsOption {
  output: "table" | "json" | "yaml";
  namespace?: string;
}

/** `limpid proxy-status` */
export function registerProxyStatus(program: Command, io: CliIo = processIo): void {
  program
    .command("proxy-status")
    .alias("ps")
    .description("show whether each proxy has what it should have")
    .argument("[proxy]", "<name>, <name>.<namespace> or its node id")
    .option("-n, --namespace <name>", "of one namespace alone")
    .addOption(outputOption())
    .addOption(xdsOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((proxy: string | undefined, options: Options) => runCommand(io, () => proxyStatus(proxy, options, io)));
}

async function proxyStatus(wanted: string | undefined, options: Options, io: CliIo): Promise<void> {
  const all = await askProxies(options, io, { contents: false });
  const { namespace: only } = options;
  const here = all.filter(({ namespace }) => only === undefined || namespace === only);
  const shown = wanted === undefined ? here : [findProxy(all, wanted, only)];
  const plain = shown.map(({ resources: _, ...proxy }) => proxy);
  if (options.output === "json") io.out(`${JSON.stringify(plain, null, 2)}\n`);
  else if (options.output === "yaml") io.out(stringify(plain, { lineWidth: 0 }));
  else
    io.out(
      shown.length === 0
        ? "No proxy is connected.\n"
        : tableOf(shown) + refusals(shown) + (await restarts(shown, options, io)),
    );
  if (shown.some(({ types }) => Object.values(types).some(({ state }) => state === "ERROR"))) io.fail();
}

/** Who was started otherwise than a ProxyConfig has it by now, as the control plane of this machine tells; nothing where it doesn't. */
async function restarts(proxies: readonly ProxyStatus[], options: Options, io: CliIo): Promise<string> {
  if (options.xds !== undefined) return "";
  try {
    const { configApi } = meshPorts(parsePortOffset(options.portOffset ?? io.env.LIMPID_PORT_OFFSET));
    const client = createHttpClient(`http://127.0.0.1:${configApi}`, 2_000);
    const { text } = await client.call("GET", "/limpid/v1/proxies");
    const known = new Map(KnownProxyList.parse(JSON.parse(text)).proxies.map((proxy) => [proxy.id, proxy.restart]));
    const lines = proxies.flatMap(({ id, name }) => {
      const fields = known.get(id);
      return fields ? [`${name}: restart needed for ${fields.join(", ")} (ProxyConfig)`] : [];
    });
    return lines.length > 0 ? `\n${lines.join("\n")}\n` : "";
  } catch {
    return "";
  }
}

const types = ["CDS", "LDS", "EDS", "RDS", "VHDS", "SDS", "ECDS", "RTDS"] as const;

function tableOf(proxies: readonly ProxyStatus[]): string {
  // A type that nobody asked for only takes room.
  const used = types.filter((type) => proxies.some((proxy) => proxy.types[type].subscribed));
  const rows = proxies.map((proxy) => [
    `${proxy.name}.${proxy.namespace}`,
    proxy.kind,
    ...used.map((type) => proxy.types[type].state.replace("_", " ")),
    String(proxy.revision),
    proxy.implementation,
  ]);
  return columns([["NAME", "TYPE", ...used, "REVISION", "VERSION"], ...rows]);
}

/** What was refused, below the table: by proxy and resource. */
function refusals(proxies: readonly ProxyStatus[]): string {
  const lines = proxies.flatMap(({ name, types: byType }) =>
    Object.entries(byType).flatMap(([type, { errors }]) =>
      errors.map(
        ({ resource, detail, origin }) => `${name}: ${type} ${resource}: ${detail}${origin ? ` (from ${origin})` : ""}`,
      ),
    ),
  );
  return lines.length > 0 ? `\n${lines.join("\n")}\n` : "";
}
