import type { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { CertificateAuthorityError } from "../../ca/errors.ts";
import { type RotationStage, rotateRoot, rotationOf } from "../../ca/rotate-root.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { columns } from "../columns.ts";
import { portOffsetOption } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { type CommonOptions, dataFolderOf } from "../options.ts";

const help = `
One root gives way to another in three steps, none of which refuses a call: both are trusted, then the new one signs, then the old one is forgotten.
rotate does the next step in the data folder. The control plane takes each up within seconds and sends proxies their roots and certificates while they run.
By which root a proxy trusts the control plane itself it reads when it starts: start the proxies again before the old root is forgotten. Who joined
from elsewhere renews (limpid join --renew) after each.

Examples:
  limpid ca
  limpid ca rotate`;

const nextSteps: Record<RotationStage, string> = {
  announced:
    "Both roots are trusted, and the old one signs. Proxies are told within seconds; let who joined from elsewhere renew; then: limpid ca rotate",
  switched:
    "The new root signs, and both are trusted. Start proxies again when it suits you; a day later nobody shows a certificate by the old one, then: limpid ca rotate",
  none: "One root is trusted, and it signs.",
};

/** `limpid ca` */
export function registerCa(program: Command, io: CliIo = processIo): void {
  const withFolder = (command: Command) =>
    command.addOption(portOffsetOption()).addOption(new Option("--data <folder>", "data folder (LIMPID_DATA)"));
  const ca = withFolder(program.command("ca").description("show the mesh's roots, and let one give way to another"))
    .addHelpText("after", help)
    .action((options: CommonOptions) => runCommand(io, () => show(options, io)));
  withFolder(ca.command("rotate").description("do the next step by which one root gives way to another"))
    .option("--force", "forget the old root although certificates by it may be in use")
    .action(({ force, ...options }: CommonOptions & { force?: boolean }) =>
      runCommand(io, async () => {
        // The parent has the same options, and commander gives them to it.
        const folder = folderOf({ ...ca.opts<CommonOptions>(), ...options });
        const { stage } = await said(rotateRoot(folder, { now: clock.now(), force: force === true }));
        io.out(`${stage === "none" ? "The old root is forgotten." : nextSteps[stage]}\n`);
      }),
    );
}

const folderOf = (options: CommonOptions): string => join(dataFolderOf(options), "ca");

async function show(options: CommonOptions, io: CliIo): Promise<void> {
  const { roots, stage } = await said(rotationOf(folderOf(options), clock.now()));
  const row = (root: X509Certificate, at: number) => [
    (root.subject ?? "").replaceAll("\n", ", "),
    root.fingerprint256.replaceAll(":", "").toLowerCase(),
    root.validToDate.toISOString(),
    at === 0 ? "signs" : "",
  ];
  io.out(columns([["ROOT", "SHA-256", "UNTIL", ""], ...roots.map(row)]));
  io.out(`${nextSteps[stage]}\n`);
}

const said = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw error instanceof CertificateAuthorityError ? new CliError(`error: ${error.message}`) : error;
  });
