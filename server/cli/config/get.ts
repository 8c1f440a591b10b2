import { type Command, Option } from "commander";
import type { KindDefinition } from "../../config/kind.ts";
import type { ConfigObject } from "../../config/object.ts";
import { writeYaml } from "../../lib/yaml/write-yaml.ts";
import { displayName } from "./apply.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl } from "./client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./io.ts";
import { kindArgument, pathOf } from "./kind-argument.ts";
import { createTablePrinter, type Table } from "./print-table.ts";

const help = `
KIND is a name such as virtualservices, virtualservice or vs.

Examples:
  limpid get vs                      VirtualServices of the namespace default
  limpid get vs reviews -o yaml      one of them, as it is stored
  limpid get dr -A -o wide           DestinationRules of all namespaces, every column
  limpid get vs -o name              their names only, for scripts
  limpid get vs -w                   and then every change, until Ctrl-C
  limpid get services -l app=reviews by label`;

interface GetOptions extends ServerOption {
  namespace: string;
  allNamespaces?: boolean;
  output?: "yaml" | "json" | "wide" | "name";
  watch?: boolean;
  selector?: string;
}

/** `limpid get` */
export function registerGet(program: Command, io: CliIo = processIo): void {
  program
    .command("get")
    .description("show mesh resources")
    .argument("<kind>", "what to show")
    .argument("[name]", "one of them; all when left out")
    .option("-n, --namespace <name>", "the namespace to look in", "default")
    .option("-A, --all-namespaces", "look in all namespaces")
    .option("-l, --selector <labels>", "only objects with these labels, such as app=reviews")
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["yaml", "json", "wide", "name"]))
    .option("-w, --watch", "go on with changes as they happen")
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((kind: string, name: string | undefined, options: GetOptions) =>
      runCommand(io, () => get(kindArgument(kind), name, options, io)),
    );
}

const tableAccept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

async function get(kind: KindDefinition, name: string | undefined, options: GetOptions, io: CliIo): Promise<void> {
  if (name !== undefined && options.allNamespaces)
    throw new CliError("error: a name and --all-namespaces exclude each other");
  const server = serverUrl(options, io.env);
  const namespace = options.allNamespaces ? undefined : options.namespace;
  const asTable = options.output === undefined || options.output === "wide";
  const accept = asTable ? tableAccept : "application/json";
  const query = new URLSearchParams();
  if (options.selector) query.set("labelSelector", options.selector);
  // A watch needs the collection's version, and a single object is a collection of one.
  if (name !== undefined && options.watch) query.set("fieldSelector", `metadata.name=${name}`);
  const path = pathOf(kind, namespace, options.watch ? undefined : name);
  const response = await call(server, `${path}?${query}`, { accept, ...(io.signal ? { signal: io.signal } : {}) });
  const first = (await response.json()) as Table & { items?: unknown[]; metadata: { resourceVersion: string } };
  const showsNamespaces = kind.namespaced && namespace === undefined;
  const printer = createTablePrinter({ wide: options.output === "wide", namespaces: showsNamespaces });
  const print = (item: unknown): void => {
    if (asTable) io.out(printer.print(item as Table));
    else if (options.output === "name") io.out(namesIn(item));
    else io.out(format(item, options.output === "json", options.watch ?? false));
  };
  if (asTable && first.rows.length === 0) io.err(`no ${kind.plural} ${where(kind, namespace)}\n`);
  if (options.watch && !asTable) for (const item of first.items ?? []) print(item);
  else if (!asTable || first.rows.length > 0) print(first);
  if (options.watch) {
    query.set("watch", "true");
    query.set("resourceVersion", first.metadata.resourceVersion);
    await follow(
      await call(server, `${path}?${query}`, { accept, ...(io.signal ? { signal: io.signal } : {}) }),
      print,
    );
  }
}

/** `virtualservice.networking.istio.io/reviews` of an object, or of each in a list. */
function namesIn(item: unknown): string {
  const list = item as { items?: ConfigObject[]; kind: string };
  const objects = list.items ?? [item as ConfigObject];
  return objects.map(({ kind, metadata }) => `${displayName(kind, metadata.name)}\n`).join("");
}

const where = (kind: KindDefinition, namespace: string | undefined): string =>
  kind.namespaced && namespace !== undefined ? `in the namespace ${namespace}` : "anywhere";

function format(whole: unknown, json: boolean, several: boolean): string {
  const item = withoutManagedFields(whole);
  if (json) return `${JSON.stringify(item, null, 2)}\n`;
  return `${several ? "---\n" : ""}${writeYaml(item)}`;
}

/** Like kubectl: who set which field is for machines. */
function withoutManagedFields(item: unknown): unknown {
  if (typeof item !== "object" || item === null) return item;
  if ("items" in item && Array.isArray(item.items)) return { ...item, items: item.items.map(withoutManagedFields) };
  if (!("metadata" in item)) return item;
  const { managedFields: _, ...metadata } = item.metadata as Record<string, unknown>;
  return { ...item, metadata };
}

/** Prints the object of every event, one JSON document a line, until the stream ends. Throws a CliError when the server ends it with an error. */
async function follow(response: Response, print: (object: unknown) => void): Promise<void> {
  let rest = "";
  try {
    for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = JSON.parse(line) as { type: string; object: { message?: string } };
        if (event.type === "ERROR") throw new CliError(`error: the watch ended: ${event.object.message}`);
        if (event.type !== "BOOKMARK") print(event.object);
      }
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (!(error instanceof Error && error.name === "AbortError")) {
      throw new CliError("error: the connection to the control plane was lost");
    }
  }
}
