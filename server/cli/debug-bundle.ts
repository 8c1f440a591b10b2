import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { call, portOffsetOption } from "./config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./config/io.ts";
import { dashboardToken } from "./credentials.ts";
import { type DashboardOption, dashboardOption, dashboardUrl } from "./dashboard-client.ts";

const help = `
In it: the config with its history, the fleet, and of each proxy what it holds, its counters and the end of its log. Not in it: private keys, and what
stands in Secrets.

Examples:
  limpid debug-bundle                 limpid-mesh-<time>.tar.gz, here
  limpid debug-bundle -o mesh.tar.gz`;

interface Options extends DashboardOption {
  output?: string;
}

/** `limpid debug-bundle` */
export function registerDebugBundle(program: Command, io: CliIo = processIo): void {
  program
    .command("debug-bundle")
    .description("gather what somebody who helps from afar would ask for, without secrets")
    .option("-o, --output <file>", "where to; default: its own name, here")
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: Options) => runCommand(io, () => writeBundle(options, io)));
}

async function writeBundle(options: Options, io: CliIo): Promise<void> {
  const { signal } = io;
  const url = dashboardUrl(options, io);
  const answer = await call(url, "/api/debug-bundle", {
    who: "dashboard",
    token: await dashboardToken(url, io.env),
    ...(signal && { signal }),
  });
  const [, name = "limpid-debug-bundle.tar.gz"] =
    /filename="([\w.-]+)"/.exec(answer.headers.get("content-disposition") ?? "") ?? [];
  const file = options.output ?? name;
  const data = Buffer.from(await answer.arrayBuffer());
  await writeFile(file, data, { mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`error: ${file} can't be written: ${error.code ?? error.message}`);
  });
  io.out(`${file}\n`);
}
