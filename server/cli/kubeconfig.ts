import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { stringify } from "yaml";
import { consoleAuthority } from "../ca/console-authority.ts";
import { meshPorts, parsePortOffset } from "../fleet/ports.ts";
import { createApiToken } from "./api-token.ts";
import { portOffsetOption } from "./config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./config/io.ts";
import { type DashboardOption, dashboardOption } from "./dashboard-client.ts";
import { dataFolderOf } from "./options.ts";

const help = `
Printed on the mesh's machine, for kubectl there or elsewhere (--server). The connection is TLS, verified by the console's own authority, or by what
--certificate-authority names; the token in it has the roles and the end that you say.

Examples:
  limpid kubeconfig > ~/.kube/limpid && kubectl --kubeconfig ~/.kube/limpid get virtualservices
  limpid kubeconfig --role operator --namespace shop --ttl 24h
  limpid kubeconfig --server https://mesh.example.com:15016`;

interface Options extends DashboardOption {
  role: string;
  namespace?: string[];
  ttl: string;
  server?: string;
  certificateAuthority?: string;
  data?: string;
}

/** `limpid kubeconfig` */
export function registerKubeconfig(program: Command, io: CliIo = processIo): void {
  program
    .command("kubeconfig")
    .description("print a kubeconfig with a token of its own, for a stock kubectl over TLS")
    .option("--role <role>", "viewer, operator or administrator", "operator")
    .option("--namespace <name...>", "where it has the role (default: in the whole mesh)")
    .option("--ttl <duration>", "how long it is good", "12h")
    .option("--server <url>", "the config API's address over TLS (default: this machine's)")
    .option(
      "--certificate-authority <file>",
      "PEM of what has signed its certificate (default: the console's authority)",
    )
    .option("--data <folder>", "data folder (LIMPID_DATA)")
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: Options) =>
      runCommand(io, async () => {
        const authority = authorityOf(options);
        const { token } = await createApiToken({ ...options, name: "kubeconfig" }, io);
        io.out(kubeconfigOf({ server: serverOf(options, io), authority, token, namespace: options.namespace?.[0] }));
      }),
    );
}

/** As `kubectl config view --raw` prints it. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export function kubeconfigOf(given: {
  server: string;
  authority: string;
  token: string;
  namespace?: string | undefined;
}): string {
  const { server, authority, token, namespace = "default" } = given;
  const name = "limpid";
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": Buffer.from(authority).toString("base64") } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    "current-context": name,
  });
}

function serverOf({ server, portOffset }: Options, io: CliIo): string {
  if (server !== undefined) {
    const url = URL.parse(server);
    if (url?.protocol !== "https:") throw new CliError(`error: --server ${server}: must be an https address`);
    return url.origin;
  }
  return `https://127.0.0.1:${meshPorts(parsePortOffset(portOffset ?? io.env.LIMPID_PORT_OFFSET)).configApiTls}`;
}

function authorityOf(options: Options): string {
  const file = options.certificateAuthority ?? join(dataFolderOf(options), consoleAuthority, "root-cert.pem");
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CliError(
      `error: ${file} can't be read (${why}): name the mesh's data folder with --data or LIMPID_DATA, or the authority with --certificate-authority`,
    );
  }
}
