import type { Command } from "commander";
import { SignedCertificates } from "../../contract/index.ts";
import { columns } from "../columns.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl, userOf } from "../config/client.ts";
import { type CliIo, processIo, runCommand } from "../config/io.ts";

const help = `
Who is revoked gets no certificate any more, its streams are ended, and a policy of the whole mesh (AuthorizationPolicy
limpid-revoked-identities) refuses the certificates that it has until they end.

Examples:
  limpid certificates
  limpid certificates revoke spiffe://cluster.local/ns/shop/sa/cart --reason "stolen laptop"
  limpid certificates restore spiffe://cluster.local/ns/shop/sa/cart`;

/** `limpid certificates` */
export function registerCertificates(program: Command, io: CliIo = processIo): void {
  const withServer = (command: Command) => command.addOption(serverOption()).addOption(portOffsetOption());
  const certificates = withServer(
    program.command("certificates").description("show the certificates that were signed, and revoke identities"),
  )
    .addHelpText("after", help)
    .action((options: ServerOption) => runCommand(io, () => list(options, io)));
  const change = (verb: "revoke" | "restore", description: string) =>
    withServer(certificates.command(verb).description(description))
      .argument("<identity>", "spiffe://<trust domain>/ns/<namespace>/sa/<service account>")
      .option("--reason <text>", "kept with it", "")
      .action((spiffeUri: string, { reason, ...server }: ServerOption & { reason: string }) =>
        runCommand(io, async () => {
          const body = { spiffeUri, reason };
          // The parent has the same options, and commander gives them to it.
          const at = serverUrl({ ...certificates.opts<ServerOption>(), ...server }, io.env);
          await call(at, `/limpid/v1/certificates/${verb}`, { method: "POST", body, user: userOf(io.env) });
          io.out(`${spiffeUri} ${verb}d\n`);
        }),
      );
  change("revoke", "let an identity have nothing any more");
  change("restore", "let it have certificates again");
}

async function list(options: ServerOption, io: CliIo): Promise<void> {
  const answer = await call(serverUrl(options, io.env), "/limpid/v1/certificates");
  const { certificates, revoked } = SignedCertificates.parse(await answer.json());
  const gone = new Map(revoked.map((it) => [it.spiffeUri, it]));
  const rows = certificates.map(({ serial, spiffeUri, notAfterMs, issuedMs, by }) => [
    spiffeUri,
    serial,
    new Date(issuedMs).toISOString(),
    new Date(notAfterMs).toISOString(),
    by,
    gone.has(spiffeUri) ? "revoked" : "",
  ]);
  io.out(columns([["IDENTITY", "SERIAL", "SIGNED", "UNTIL", "BY", ""], ...rows]));
  for (const { spiffeUri, atMs, reason } of revoked) {
    io.out(`${spiffeUri} revoked at ${new Date(atMs).toISOString()}${reason ? `: ${reason}` : ""}\n`);
  }
}
