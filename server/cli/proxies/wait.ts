import { type Command, Option } from "commander";
import { PushStatus } from "../../contract/index.ts";
import { CallError, call, portOffsetOption, type ServerOption, serverOption, serverUrl } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { kindArgument, pathOf } from "../config/kind-argument.ts";

const help = `
Ends with 0 when every proxy that the object's last change concerns has it in force, and with 1 when one refused it or time is up.

Examples:
  limpid wait --for=distribution virtualservice/reviews
  limpid wait --for=distribution vs reviews.shop --timeout 10`;

interface Options extends ServerOption {
  for: string;
  namespace: string;
  timeout: string;
}

/** `limpid wait` */
export function registerWait(program: Command, io: CliIo = processIo): void {
  program
    .command("wait")
    .description("wait until the proxies have a mesh resource in force")
    .argument("<kind>", "kind, or <kind>/<name>")
    .argument("[name]", "<name> or <name>.<namespace>")
    .addOption(new Option("--for <condition>", "what to wait for").choices(["distribution"]).default("distribution"))
    .option("-n, --namespace <name>", "the namespace it is in", "default")
    .option("--timeout <seconds>", "for how long at most", "30")
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((kind: string, name: string | undefined, options: Options) =>
      runCommand(io, () => waitFor(kind, name, options, io)),
    );
}

async function waitFor(kindText: string, nameText: string | undefined, options: Options, io: CliIo): Promise<void> {
  const [kindName = "", inKind] = kindText.split("/");
  const kind = kindArgument(kindName);
  const [name, namespace = options.namespace] = (nameText ?? inKind ?? "").split(".");
  if (!name) throw new CliError("error: a name is missing: limpid wait --for=distribution virtualservice/reviews");
  const seconds = Number(options.timeout);
  if (!(seconds > 0 && seconds <= 3_600)) throw new CliError("error: --timeout must be seconds, from above 0 to 3600");
  const server = serverUrl(options, io.env);
  const object = (await (await call(server, pathOf(kind, namespace, name))).json()) as {
    metadata: { resourceVersion: string };
  };
  const revision = Number(object.metadata.resourceVersion);
  const title = `${kind.kind} ${namespace}/${name} at revision ${revision}`;
  const push = await complete(server, revision, seconds * 1000);
  const refused = push?.proxies.filter(({ state }) => state === "nacked") ?? [];
  const pending = push?.proxies.filter(({ state }) => state === "pending") ?? [];
  if (!push) io.out(`${title}: its push is too long ago to be remembered\n`);
  else if (refused.length > 0) {
    throw new CliError(
      `error: ${title} was refused by ${refused.length} of ${push.proxies.length} proxies`,
      ...refused.map((proxy) => `  ${proxy.name}: ${proxy.error}`),
    );
  } else if (!push.complete) {
    const names = pending.map((proxy) => proxy.name).join(", ");
    throw new CliError(`error: after ${seconds} s ${title} is still on its way to ${names || "the proxies"}`);
  } else io.out(`${title} is in force in ${push.proxies.length} proxies, after ${push.ms} ms\n`);
}

/** The push as it is when complete, or at the end of the time; undefined: nobody remembers it. */
async function complete(server: string, revision: number, timeoutMs: number): Promise<PushStatus | undefined> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const push = await pushOf(server, revision);
    if (!push || push.complete || Date.now() >= deadline) return push;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function pushOf(server: string, revision: number): Promise<PushStatus | undefined> {
  try {
    return PushStatus.parse(await (await call(server, `/limpid/v1/pushes/${revision}`)).json());
  } catch (error) {
    if (error instanceof CallError && error.code === 404) return undefined;
    throw error;
  }
}
