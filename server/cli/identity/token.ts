import type { Command } from "commander";
import { parseGoDuration } from "../../lib/go-duration.ts";
import { columns } from "../columns.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl, userOf } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";

interface TokenOptions extends ServerOption {
  namespace: string;
  serviceAccount: string;
  ttl: string;
}

interface Token {
  token: string;
  id: string;
  namespace: string;
  serviceAccount: string;
  expiresMs: number;
}

const help = `
A token is printed once and is good for one join. Whoever has it becomes the workload that it names. It says by which root the mesh is known, too.

Examples:
  limpid token create -n shop --service-account cart
  limpid token list
  limpid token revoke 1a2b3c4d`;

/** `limpid token` */
export function registerToken(program: Command, io: CliIo = processIo): void {
  const token = program.command("token").description("let a machine join the mesh").addHelpText("after", help);
  const withServer = (command: Command) => command.addOption(serverOption()).addOption(portOffsetOption());
  withServer(token.command("create").description("make a token by which one workload gets its first certificate"))
    .requiredOption("-n, --namespace <name>", "of the workload")
    .requiredOption("--service-account <name>", "that it runs as")
    .option("--ttl <duration>", "how long the token may wait to be used, up to 24h", "15m")
    .action((options: TokenOptions) => runCommand(io, () => createToken(options, io)));
  withServer(token.command("list").description("show the tokens that nobody used yet")).action(
    (options: ServerOption) => runCommand(io, () => listTokens(options, io)),
  );
  withServer(token.command("revoke").description("take a token back"))
    .argument("<id>", "as limpid token list shows it")
    .action((id: string, options: ServerOption) =>
      runCommand(io, async () => {
        await call(serverUrl(options, io.env), `/limpid/v1/join-tokens/${encodeURIComponent(id)}`, {
          method: "DELETE",
        });
        io.out(`token ${id} revoked\n`);
      }),
    );
}

async function createToken({ namespace, serviceAccount, ttl, ...server }: TokenOptions, io: CliIo): Promise<void> {
  const ttlMs = parseGoDuration(ttl);
  if (ttlMs === undefined) throw new CliError(`error: --ttl must be a duration such as 15m, not ${ttl}`);
  const answer = await call(serverUrl(server, io.env), "/limpid/v1/join-tokens", {
    method: "POST",
    body: { namespace, serviceAccount, ttlSec: Math.round(ttlMs / 1000) },
    user: userOf(io.env),
  });
  const { token } = (await answer.json()) as Token;
  io.out(`${token}\n`);
}

async function listTokens(options: ServerOption, io: CliIo): Promise<void> {
  const answer = await call(serverUrl(options, io.env), "/limpid/v1/join-tokens");
  const { tokens } = (await answer.json()) as { tokens: Token[] };
  const rows = tokens.map(({ id, namespace, serviceAccount, expiresMs }) => [
    id,
    namespace,
    serviceAccount,
    new Date(expiresMs).toISOString(),
  ]);
  io.out(columns([["ID", "NAMESPACE", "SERVICE ACCOUNT", "UNTIL"], ...rows]));
}
