import type { Command } from "commander";
import { kindNamed } from "../../config/kinds/index.ts";
import type { ChangeResult } from "../../contract/index.ts";
import { count } from "../count.ts";
import { checkOption, doubtfulCode, sayCheck } from "./check.ts";
import {
  CallError,
  call,
  portOffsetOption,
  type ServerOption,
  serverOption,
  serverUrl,
  userOf,
  warningsIn,
} from "./client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./io.ts";
import { type Manifest, readManifests } from "./read-manifests.ts";

const help = `
All objects go to the control plane as one change: either all of them take effect, or none does.
Fields that a file names are set, whoever set them before; fields that this command set earlier and
the file no longer names are removed; fields that others set and the file doesn't name stay.

Examples:
  limpid apply -f reviews.yaml             one file, any number of documents
  limpid apply -f mesh/                    every .yaml, .yml and .json file of a folder
  limpid apply -f a.yaml -f b.yaml         several files in one change
  cat reviews.yaml | limpid apply -f -     standard input
  limpid apply -f reviews.yaml --dry-run   check and show what would happen, change nothing
  limpid apply -f reviews.yaml --check     and who would get how much of the traffic, what reaches which proxy, and which of
                                           them would refuse it; the exit code is ${doubtfulCode} when requests would go where
                                           nobody answers, or a proxy would refuse it`;

interface ApplyOptions extends ServerOption {
  filename: string[];
  dryRun?: boolean;
  check?: boolean;
  reason?: string;
}

/** `limpid apply` */
export function registerApply(program: Command, io: CliIo = processIo): void {
  program
    .command("apply")
    .description("create or change mesh resources from YAML or JSON files")
    .requiredOption("-f, --filename <path...>", "a file, a folder, or - for standard input")
    .option("--dry-run", "check and report, change nothing")
    .option(...checkOption)
    .option("--reason <text>", "why, in a few words, for the history")
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: ApplyOptions) => runCommand(io, () => apply(options, io)));
}

async function apply(options: ApplyOptions, io: CliIo): Promise<void> {
  const manifests = await readManifests(options.filename, io);
  const writes = manifests.map(({ object }) => ({ op: "apply", object, force: true }));
  const sending = { server: serverUrl(options, io.env), manifests, io, writes };
  if (options.check) {
    const result = await sendManifests({ ...sending, dryRun: true, preview: true });
    sayCheck(result, io);
    return;
  }
  const result = await sendManifests({ ...sending, ...options });
  for (const { object } of manifests) {
    const { kind, metadata } = object;
    const changed = result.objects.find(
      (one) => one.kind === kind && one.namespace === metadata.namespace && one.name === metadata.name,
    );
    const verb = changed === undefined ? "unchanged" : changed.before === "" ? "created" : "configured";
    io.out(`${displayName(kind, metadata.name)} ${verb}${result.dryRun ? " (dry run)" : ""}\n`);
  }
}

export interface Sending {
  server: string;
  /** What the first writes were made of, one each. */
  manifests: readonly Manifest[];
  writes: readonly object[];
  io: CliIo;
  dryRun?: boolean;
  /** On a dry run: what the connected proxies would get. */
  preview?: boolean;
  reason?: string;
}

/** All writes as one change; its warnings are printed. Throws a CliError that names the file of every error. */
export async function sendManifests({ server, manifests, writes, io, ...options }: Sending): Promise<ChangeResult> {
  const { dryRun = false, preview = false, reason } = options;
  try {
    const response = await call(server, `/limpid/v1/transactions?fieldManager=limpid-cli&envoy=${preview}`, {
      method: "POST",
      body: { writes, dryRun, ...(reason ? { reason } : {}) },
      user: userOf(io.env),
    });
    for (const warning of warningsIn(response)) io.err(`warning: ${warning}\n`);
    return (await response.json()) as ChangeResult;
  } catch (error) {
    throw error instanceof CallError ? locate(error, manifests) : error;
  }
}

/** `virtualservice.networking.istio.io/reviews`, as kubectl names objects. */
export function displayName(kind: string, name: string): string {
  const definition = kindNamed(kind);
  if (definition === undefined) return `${kind.toLowerCase()}/${name}`;
  return `${definition.singular}${definition.group ? `.${definition.group}` : ""}/${name}`;
}

/** The server names the write by its index; people know it by its file. */
function locate(error: CallError, manifests: readonly Manifest[]): CliError {
  if (error.errors.length === 0) return error;
  const lines = error.errors.map(({ path, message }) => {
    const match = /^writes\[(\d+)\](?:\.object)?\.?(.*)$/.exec(path);
    const manifest = match ? manifests[Number(match[1])] : undefined;
    if (!match || !manifest) return `${path}: ${message}`;
    const field = match[2] ? `${match[2]}: ` : "";
    return `${manifest.file}: ${displayName(manifest.object.kind, manifest.object.metadata.name)}: ${field}${message}`;
  });
  return new CliError(...lines, `error: ${count(lines.length, "error")}; nothing was changed`);
}
