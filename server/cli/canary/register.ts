import { type Command, InvalidArgumentError, Option } from "commander";
import { stringify } from "yaml";
import {
  type CanaryAction,
  CanaryList,
  type CanaryView,
  ChangeResult,
  defaultCanarySteps,
  Routing,
  usualCanary,
} from "../../contract/index.ts";
import { checkText } from "../config/check.ts";
import {
  call,
  portOffsetOption,
  type ServerOption,
  serverOption,
  serverUrl,
  userOf,
  warningsIn,
} from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { inWords } from "./print.ts";

const help = `
Traffic moves from the old version to the new one in steps, as long as the new one is no worse; else the old weights come back.

Examples:
  limpid canary start reviews --to v3                            10, 25 and 50 %, two minutes each, then everything
  limpid canary start reviews --from v1 --to v3 --steps 5:1m,50:10m --max-p95 300ms
  limpid canary status reviews                                   step, time left, both versions side by side
  limpid canary pause reviews                                    weights stay as they are, until resume
  limpid canary abort reviews                                    the weights from before, at once`;

interface PlaceOptions extends ServerOption {
  namespace: string;
}

interface StartOptions extends PlaceOptions {
  from?: string;
  to?: string;
  steps: { weight: number; hold: string }[];
  minRequests?: number;
  minSuccess?: number;
  maxDrop?: number;
  maxP95?: string;
  maxRatio?: number;
  onFailure?: "Rollback" | "Pause";
  virtualService?: string;
  rule?: number;
  dryRun?: boolean;
}

const actions = {
  pause: "leave the weights as they are, until resume",
  resume: "go on, with the present step held anew",
  promote: "give everything to the new version, without waiting",
  abort: "bring back the weights from before",
} as const satisfies Record<CanaryAction, string>;

/** `limpid canary` */
export function registerCanary(program: Command, io: CliIo = processIo): void {
  const canary = program
    .command("canary")
    .description("move traffic to a new version in steps, and back when it is worse")
    .addHelpText("after", help);
  const placed = (command: Command): Command =>
    command
      .option("-n, --namespace <name>", "the namespace of the service", "default")
      .addOption(serverOption())
      .addOption(portOffsetOption());
  placed(canary.command("start").description("start one").argument("<service>", "name of the service"))
    .option("--from <version>", "the old version (default: the one with the most traffic)")
    .option("--to <version>", "the new one (default: the newest)")
    .option("--steps <steps>", "weight in percent and how long it is held", stepsOf, [...defaultCanarySteps])
    .option("--min-requests <count>", "to both versions in a step, before it is judged (default: 50)", numberOf)
    .option("--min-success <percent>", "of the new version's requests (default: 99)", numberOf)
    .option("--max-drop <points>", "how far below the old version's success it may be (default: 1)", numberOf)
    .option("--max-p95 <duration>", "the new version's p95 latency at the most, such as 300ms")
    .option("--max-ratio <times>", "how many times the old version's p95 it may be (default: 2)", numberOf)
    .addOption(new Option("--on-failure <what>", "when it is worse").choices(["Rollback", "Pause"]))
    .option("--virtual-service <name>", "whose weights, such as a gateway's (default: the one inside of the mesh)")
    .option("--rule <index>", "which of its rules (default: the one without a match)", numberOf)
    .option("--dry-run", "check and report, change nothing")
    .action((service: string, options: StartOptions) => runCommand(io, () => start(service, options, io)));
  placed(canary.command("status").description("show how it does").argument("[service]", "name of the service"))
    .addOption(new Option("-o, --output <format>", "form of the output").choices(["yaml", "json"]))
    .action((service: string | undefined, options: PlaceOptions & { output?: "yaml" | "json" }) =>
      runCommand(io, () => status(service, options, io)),
    );
  for (const [action, description] of Object.entries(actions) as [CanaryAction, string][])
    placed(canary.command(action).description(description).argument("<service>", "name of the service")).action(
      (service: string, options: PlaceOptions) => runCommand(io, () => act(action, service, options, io)),
    );
}

function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("must be a number.");
  return value;
}

function stepsOf(text: string): { weight: number; hold: string }[] {
  return text.split(",").map((step) => {
    const [, weight, hold] = /^\s*(\d+)\s*:\s*(\S+)\s*$/.exec(step) ?? [];
    if (weight === undefined || hold === undefined)
      throw new InvalidArgumentError("must be such as 10:2m,50:10m: a weight in percent, and how long it is held.");
    return { weight: Number(weight), hold };
  });
}

async function start(service: string, options: StartOptions, io: CliIo): Promise<void> {
  const server = serverUrl(options, io.env);
  const { namespace, steps, onFailure } = options;
  const routed = await call(server, `/limpid/v1/services/${segment(namespace)}/${segment(service)}/routing`);
  const usual = usualCanary(Routing.parse(await routed.json()), options);
  const [from, to] = [options.from ?? usual?.from, options.to ?? usual?.to];
  if (from === undefined || to === undefined)
    throw new CliError(`error: ${service} has one version only: say --from and --to`);
  const route = defined({ virtualService: options.virtualService, rule: options.rule });
  const spec = {
    service: { name: service },
    from,
    to,
    steps,
    ...(route && { route }),
    ...thresholdsOf(options),
    ...(onFailure && { onFailure }),
  };
  const path = `/limpid/v1/canaries${options.dryRun ? "?dryRun=true&envoy=true" : ""}`;
  const body = { namespace, name: service, spec };
  const result = await write(server, path, body, io);
  if (options.dryRun) io.out(`${checkText(result)}\n`);
  io.out(`canary ${service}: ${from} → ${to} ${options.dryRun ? "would start (dry run)" : "started"}\n`);
}

function thresholdsOf({ minRequests, minSuccess, maxDrop, maxP95, maxRatio }: StartOptions) {
  const successRate = defined({ min: minSuccess, maxDrop });
  const latencyP95 = defined({ max: maxP95, maxRatio });
  const thresholds = defined({ minRequests, successRate, latencyP95 });
  return thresholds && { thresholds };
}

/** Without what is not set; undefined when nothing is. */
function defined<T extends object>(fields: T): Partial<T> | undefined {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  return set.length === 0 ? undefined : (Object.fromEntries(set) as Partial<T>);
}

async function status(
  service: string | undefined,
  { output, ...place }: PlaceOptions & { output?: "yaml" | "json" },
  io: CliIo,
): Promise<void> {
  const { now, canaries } = await listed(place, io);
  const shown = service === undefined ? canaries : [canaryOf(canaries, service, place)];
  if (output === "json") io.out(`${JSON.stringify(shown, null, 2)}\n`);
  else if (output === "yaml") io.out(stringify(shown, { lineWidth: 0 }));
  else if (shown.length === 0) io.err("there is no canary\n");
  else io.out(shown.map((one) => inWords(one, now)).join("\n"));
}

async function act(action: CanaryAction, service: string, place: PlaceOptions, io: CliIo): Promise<void> {
  const { namespace, name } = canaryOf((await listed(place, io)).canaries, service, place);
  await write(serverUrl(place, io.env), `/limpid/v1/canaries/${segment(namespace)}/${segment(name)}/${action}`, {}, io);
  const canary = canaryOf((await listed(place, io)).canaries, service, place);
  io.out(`canary ${name}: ${canary.status?.message ?? action}\n`);
}

async function listed(place: PlaceOptions, io: CliIo): Promise<CanaryList> {
  return CanaryList.parse(await (await call(serverUrl(place, io.env), "/limpid/v1/canaries")).json());
}

/** The one that runs, before those that are over. */
function canaryOf(canaries: readonly CanaryView[], service: string, { namespace }: PlaceOptions): CanaryView {
  const of = canaries.filter(
    ({ service: one }) => one.namespace === namespace && (one.name === service || one.hostname === service),
  );
  const found = of.find(({ status }) => status?.phase === "Progressing" || status?.phase === "Paused") ?? of[0];
  if (found === undefined) throw new CliError(`error: there is no canary of ${service} in ${namespace}`);
  return found;
}

async function write(server: string, path: string, body: unknown, io: CliIo): Promise<ChangeResult> {
  const answer = await call(server, path, { method: "POST", body, user: userOf(io.env) });
  for (const warning of warningsIn(answer)) io.err(`Warning: ${warning}\n`);
  return ChangeResult.parse(await answer.json());
}

const segment = encodeURIComponent;
