import { type Command, Option } from "commander";
import { SignInLink } from "../contract/index.ts";
import { call, portOffsetOption } from "./config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./config/io.ts";
import { dashboardToken, howToComeIn } from "./credentials.ts";
import { type DashboardOption, dashboardOption, dashboardUrl } from "./dashboard-client.ts";

const help = `
The link is good once, within twelve hours. The first one that is opened makes the first administrator; later ones sign in as an administrator, or as
whom you name. It is made by whoever may read the mesh's data folder, or has an administrator's token (LIMPID_TOKEN).

Examples:
  limpid console-link
  limpid console-link --user ana      a link for ana, who forgot her password
  xdg-open "$(limpid console-link -q)"`;

interface Options extends DashboardOption {
  user?: string;
  quiet?: boolean;
}

/** `limpid console-link` */
export function registerConsoleLink(program: Command, io: CliIo = processIo): void {
  program
    .command("console-link")
    .description("print a link that signs you in at the dashboard, once")
    .option("--user <name>", "whom it signs in (default: an administrator)")
    .addOption(new Option("-q, --quiet", "the link alone"))
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: Options) =>
      runCommand(io, async () => {
        const url = dashboardUrl(options, io);
        const token = await dashboardToken(url, io.env);
        if (token === undefined) throw new CliError(`error: no token of ${url} is found; ${howToComeIn}`);
        const link = await makeLink(url, token, options.user);
        io.out(options.quiet ? `${link.url}\n` : `${link.url}\nsigns in ${link.name}, once\n`);
      }),
    );
}

/** Throws a CliError. */
export async function makeLink(dashboard: string, token: string, name?: string): Promise<SignInLink> {
  const body = name === undefined ? {} : { name };
  const answer = await call(dashboard, "/api/sign-in-links", { method: "POST", body, token, who: "dashboard" });
  return SignInLink.parse(await answer.json());
}

/** What prints a link for the mesh of these ports. */
export const linkCommand = (portOffset: number): string =>
  `npx limpid console-link${portOffset === 0 ? "" : ` --port-offset ${portOffset}`}`;
