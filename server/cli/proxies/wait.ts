import { type Command, Option } from "commander";
import { type KnownProxy, KnownProxyList, PushStatus } from "../../contract/index.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import { CallError, call, portOffsetOption, type ServerOption, serverOption, serverUrl } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { kindArgument, pathOf } from "../config/kind-argument.ts";

const help = `
Ends with 0 when every proxy that the object's last change concerns has it in force, those that connected since among them, and with 1 when one refused it or
time is up.

Examples:
  limpid wait --for=distribution virtualservice/reviews
  limpid wait --for=distribution vs reviews.shop --timeout 10s`;

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
    .option("--timeout <duration>", "for how long at most: 30s, 2m, or seconds", "30s")
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
  const timeoutMs = timeoutOf(options.timeout);
  const server = serverUrl(options, io.env);
  const object = (await (await call(server, pathOf(kind, namespace, name))).json()) as {
    metadata: { resourceVersion: string };
  };
  const revision = Number(object.metadata.resourceVersion);
  const title = `${kind.kind} ${namespace}/${name} at revision ${revision}`;
  const { push, since } = await complete(server, revision, timeoutMs);
  const refused = push?.proxies.filter(({ state }) => state === "nacked") ?? [];
  const pending = push?.proxies.filter(({ state }) => state === "pending") ?? [];
  const late = since.filter(({ heldRevision }) => !isHeld(heldRevision, revision));
  if (!push) {
    const holding = since.length - late.length;
    io.out(
      `${title}: its push is too long ago to be remembered; ${holding} of ${since.length} connected proxies are there or beyond\n`,
    );
  } else if (refused.length > 0) {
    throw new CliError(
      `error: ${title} was refused by ${refused.length} of ${push.proxies.length} proxies`,
      ...refused.map((proxy) => `  ${proxy.name}: ${proxy.error}`),
    );
  } else if (!push.complete || late.length > 0) {
    const names = [...pending, ...late].map((proxy) => proxy.name).join(", ");
    throw new CliError(`error: after ${options.timeout} ${title} is still on its way to ${names || "the proxies"}`);
  } else io.out(`${title} is in force in ${inForce(push, since)}\n`);
}

/** Whom the push concerned, and who came later and has had everything since. */
function inForce({ proxies, ms }: PushStatus, since: readonly KnownProxy[]): string {
  const told = proxies.filter(({ state }) => state === "acked").length;
  const came = since.length > 0 ? `${since.length} proxies that connected since` : "";
  if (told === 0) return came || "0 proxies: it concerns none that is connected";
  return `${told} proxies, after ${ms} ms${came && `, and in ${came}`}`;
}

/** As istioctl takes it, or a bare number of seconds. */
function timeoutOf(text: string): number {
  const ms = /^[\d.]+$/.test(text) ? Number(text) * 1000 : parseGoDuration(text);
  if (ms !== undefined && ms > 0 && ms <= 3_600_000) return ms;
  throw new CliError(`error: --timeout ${text}: must be a duration such as 30s or 2m, above 0 and at most 1h`);
}

interface Progress {
  /** Undefined: nobody remembers it. */
  readonly push: PushStatus | undefined;
  /** Connected proxies whom the push did not concern because they were not there; all of them, when it is not remembered. */
  readonly since: readonly KnownProxy[];
}

/** As it is when complete, or at the end of the time. */
async function complete(server: string, revision: number, timeoutMs: number): Promise<Progress> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const push = await pushOf(server, revision);
    const told = new Set(push?.proxies.filter(({ state }) => state !== "gone").map(({ id }) => id));
    const since = (await connected(server)).filter(
      ({ id, connectedAt }) => !told.has(id) && connectedAt >= (push?.committedAt ?? 0),
    );
    const isDone = !push || (push.complete && since.every(({ heldRevision }) => isHeld(heldRevision, revision)));
    if (isDone || Date.now() >= deadline) return { push, since };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const isHeld = (held: number | null, revision: number): boolean => (held ?? 0) >= revision;

async function connected(server: string): Promise<KnownProxy[]> {
  const { proxies } = KnownProxyList.parse(await (await call(server, "/limpid/v1/proxies")).json());
  return proxies.filter((proxy) => proxy.connected);
}

async function pushOf(server: string, revision: number): Promise<PushStatus | undefined> {
  try {
    return PushStatus.parse(await (await call(server, `/limpid/v1/pushes/${revision}`)).json());
  } catch (error) {
    if (error instanceof CallError && error.code === 404) return undefined;
    throw error;
  }
}
