import type { Command } from "commander";
import {
  ApiTokenList,
  describeGrants,
  type Grant,
  Grant as GrantSchema,
  MadeApiToken,
  wholeMesh,
} from "../contract/index.ts";
import { parseGoDuration } from "../lib/go-duration.ts";
import { columns } from "./columns.ts";
import { call, portOffsetOption } from "./config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./config/io.ts";
import { dashboardToken } from "./credentials.ts";
import { type DashboardOption, dashboardOption, dashboardUrl } from "./dashboard-client.ts";

const help = `
A token is for a script, kubectl or CI: it has roles, never more than whoever makes it, and an end. It is shown once. Tokens to join the mesh are another
thing: limpid token.

Examples:
  limpid api-token create --name ci --role operator --namespace shop --ttl 24h
  LIMPID_TOKEN=$(limpid api-token create -q --name laptop --ttl 8h) limpid graph
  limpid api-token list
  limpid api-token revoke 3f2a9c1b7d5e`;

interface CreateOptions extends DashboardOption {
  name: string;
  role: string;
  namespace?: string[];
  ttl: string;
  quiet?: boolean;
}

/** `limpid api-token` */
export function registerApiToken(program: Command, io: CliIo = processIo): void {
  const command = program
    .command("api-token")
    .description("make, list and revoke tokens for scripts, kubectl and CI")
    .addHelpText("after", help);
  command
    .command("create")
    .description("make a token, and print it")
    .requiredOption("--name <text>", "what it is for")
    .option("--role <role>", "viewer, operator or administrator", "viewer")
    .option("--namespace <name...>", "where it has the role (default: in the whole mesh)")
    .option("--ttl <duration>", "how long it is good, such as 12h or 720h; a year at the most", "720h")
    .option("-q, --quiet", "the token alone")
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .action((options: CreateOptions) =>
      runCommand(io, async () => {
        const { token, about } = await createApiToken(options, io);
        if (options.quiet) io.out(`${token}\n`);
        else
          io.out(
            `${token}\n${about.id}: ${describeGrants(about.grants)}, until ${new Date(about.endsAt).toISOString()}\n`,
          );
      }),
    );
  command
    .command("list")
    .description("list the tokens that are good")
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .action((options: DashboardOption) =>
      runCommand(io, async () => {
        const { tokens } = ApiTokenList.parse(await (await ask(options, io, "/api/tokens?all=true")).json());
        const rows = tokens.map(({ id, name, owner, grants, endsAt, usedAt }) => [
          id,
          name,
          owner,
          describeGrants(grants),
          new Date(endsAt).toISOString(),
          usedAt === null ? "never" : new Date(usedAt).toISOString(),
        ]);
        io.out(columns([["ID", "NAME", "OWNER", "MAY", "ENDS", "USED"], ...rows]));
      }),
    );
  command
    .command("revoke <id>")
    .description("end a token now")
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .action((id: string, options: DashboardOption) =>
      runCommand(io, async () => {
        await ask(options, io, `/api/tokens/${encodeURIComponent(id)}`, { method: "DELETE", body: {} });
        io.out(`token ${id} is revoked\n`);
      }),
    );
}

/** Throws a CliError. */
export async function createApiToken(options: CreateOptions, io: CliIo): Promise<MadeToken> {
  const ttlSec = Math.round((parseGoDuration(options.ttl) ?? Number.NaN) / 1000);
  if (!(ttlSec >= 60))
    throw new CliError(`error: --ttl ${options.ttl}: must be a duration of a minute or more, such as 12h`);
  const grants = (options.namespace ?? [wholeMesh]).map((namespace): Grant => {
    const grant = GrantSchema.safeParse({ role: options.role, namespace });
    if (grant.success) return grant.data;
    throw new CliError(`error: --role ${options.role} in ${namespace}: ${grant.error.issues[0]?.message}`);
  });
  const body = { name: options.name, grants, ttlSec };
  return MadeApiToken.parse(await (await ask(options, io, "/api/tokens", { method: "POST", body })).json());
}

type MadeToken = ReturnType<typeof MadeApiToken.parse>;

async function ask(options: DashboardOption, io: CliIo, path: string, more: object = {}): Promise<Response> {
  const url = dashboardUrl(options, io);
  return call(url, path, { who: "dashboard", token: await dashboardToken(url, io.env), ...more });
}
