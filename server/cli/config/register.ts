import { type Command, Option } from "commander";
import type { ApplyOptions } from "./apply.ts";
import type { DeleteOptions } from "./delete.ts";
import type { GetOptions } from "./get.ts";
import { type CliIo, processIo, runCommand } from "./io.ts";
import type { RoutesOptions } from "./routes.ts";

/** The commands that are clients of the config API. What they need is loaded when one of them runs. */
export function registerConfigCommands(program: Command, io: CliIo = processIo): void {
  registerApply(program, io);
  registerGet(program, io);
  registerDelete(program, io);
  registerRoutes(program, io);
}

const serverHelp =
  "address of the control plane's config API (default: LIMPID_SERVER, or http://127.0.0.1:15014 moved by LIMPID_PORT_OFFSET)";

const applyHelp = `
All objects go to the control plane as one change: either all of them take effect, or none does.
Fields that a file names are set, whoever set them before; fields that this command set earlier and
the file no longer names are removed; fields that others set and the file doesn't name stay.

Examples:
  limpid apply -f reviews.yaml             one file, any number of documents
  limpid apply -f mesh/                    every .yaml, .yml and .json file of a folder
  limpid apply -f a.yaml -f b.yaml         several files in one change
  cat reviews.yaml | limpid apply -f -     standard input
  limpid apply -f reviews.yaml --dry-run   check and show what would happen, change nothing`;

/** `limpid apply` */
export function registerApply(program: Command, io: CliIo = processIo): void {
  program
    .command("apply")
    .description("create or change mesh resources from YAML or JSON files")
    .requiredOption("-f, --filename <path...>", "a file, a folder, or - for standard input")
    .option("--dry-run", "check and report, change nothing")
    .option("--reason <text>", "why, in a few words, for the history")
    .option("--server <url>", serverHelp)
    .addHelpText("after", applyHelp)
    .action((options: ApplyOptions) =>
      runCommand(io, async () => (await import("./apply.ts")).applyManifests(options, io)),
    );
}

const getHelp = `
KIND is a name such as virtualservices, virtualservice or vs.

Examples:
  limpid get vs                      VirtualServices of the namespace default
  limpid get vs reviews -o yaml      one of them, as it is stored
  limpid get dr -A -o wide           DestinationRules of all namespaces, every column
  limpid get vs -w                   and then every change, until Ctrl-C
  limpid get services -l app=reviews by label`;

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
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["yaml", "json", "wide"]))
    .option("-w, --watch", "go on with changes as they happen")
    .option("--server <url>", serverHelp)
    .addHelpText("after", getHelp)
    .action((kind: string, name: string | undefined, options: GetOptions) =>
      runCommand(io, async () => (await import("./get.ts")).getObjects(kind, name, options, io)),
    );
}

const deleteHelp = `
All objects go as one change: either all of them are deleted, or none is.

Examples:
  limpid delete vs reviews ratings     two VirtualServices of the namespace default
  limpid delete -f reviews.yaml        what a file names
  limpid delete ns shop                a namespace and everything in it`;

/** `limpid delete` */
export function registerDelete(program: Command, io: CliIo = processIo): void {
  program
    .command("delete")
    .description("delete mesh resources")
    .argument("[kind]", "what to delete")
    .argument("[names...]", "which of them")
    .option("-n, --namespace <name>", "the namespace they are in", "default")
    .option("-f, --filename <path...>", "delete what these files, folders or - (standard input) name")
    .option("--dry-run", "check and report, change nothing")
    .option("--reason <text>", "why, in a few words, for the history")
    .option("--server <url>", serverHelp)
    .addHelpText("after", deleteHelp)
    .action((kind: string | undefined, names: string[], options: DeleteOptions) =>
      runCommand(io, async () => (await import("./delete.ts")).deleteObjects(kind, names, options, io)),
    );
}

const routesHelp = `
Rules are tried from the top; the first that matches a request decides where it goes.

Examples:
  limpid routes reviews              where calls of reviews go, in words
  limpid routes reviews -n shop      the one of another namespace
  limpid routes reviews -o json      for programs`;

/** `limpid routes` */
export function registerRoutes(program: Command, io: CliIo = processIo): void {
  program
    .command("routes")
    .description("show where the calls of a service go: rules, weights, faults")
    .argument("<service>", "name of the service")
    .option("-n, --namespace <name>", "the namespace it is in", "default")
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["yaml", "json"]))
    .option("--server <url>", serverHelp)
    .addHelpText("after", routesHelp)
    .action((service: string, options: RoutesOptions) =>
      runCommand(io, async () => (await import("./routes.ts")).showRoutes(service, options, io)),
    );
}
