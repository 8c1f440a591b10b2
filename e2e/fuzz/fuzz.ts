import { get } from "node:http";
import { connect } from "node:net";
import type { FleetStatus } from "../../server/fleet/fleet-api.ts";
import { isRunning, statusAt } from "../mesh.ts";
import { seeded } from "./random.ts";
import { type Target, targetsOf } from "./targets.ts";

export interface FuzzOptions {
  portOffset: number;
  seed: number;
  /** The first of the inputs; a finding names the ones around it. */
  from?: number;
  inputsPerTarget: number;
  /** No new input after this. */
  budgetMs: number;
  say?(line: string): void;
}

export interface Finding {
  target: string;
  what: string;
  /** The inputs that were under way, base64. */
  inputs: string[];
}

export interface FuzzResult {
  findings: Finding[];
  /** Inputs delivered, by target. */
  delivered: Record<string, number>;
}

const atATime = 8;
/** What a process may grow by; a heap that is not collected yet counts, too. */
const maxGrowthBytes = 300e6;

/** Throws mutated bytes at every listener of a running mesh, and says what did not stand it: a process that ended, hung, grew, or a listener that is silent. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { portOffset } = options;
  const before = await statusAt(portOffset);
  const deadline = performance.now() + options.budgetMs;
  const result: FuzzResult = { findings: [], delivered: {} };
  const targets = targetsOf(portOffset);
  await Promise.all(
    [0, 1].map(async (lane) => {
      for (const target of targets.filter((_, index) => index % 2 === lane)) await fuzzOne(target);
    }),
  );
  const after = await statusAt(portOffset).catch(() => undefined);
  result.findings.push(...(await judge(before, after, targets)));
  return result;

  async function fuzzOne(target: Target): Promise<void> {
    const pid = pidOf(before, target.part);
    const from = options.from ?? 0;
    const share = (deadline - performance.now()) / targets.length;
    const end = Math.min(deadline, performance.now() + Math.max(share * 2, 1_000));
    let next = from;
    while (next < from + options.inputsPerTarget && performance.now() < end) {
      const batch = Array.from({ length: atATime }, (_, index) => {
        const random = seeded(options.seed, target.name, next + index);
        return { random, input: target.make(random) };
      });
      next += batch.length;
      await Promise.all(batch.map(({ input, random }) => target.deliver(input, random)));
      if (pid !== undefined && !isRunning(pid)) {
        const inputs = batch.map(({ input }) => input.toString("base64"));
        result.findings.push({
          target: target.name,
          what: `${target.part} ended (inputs from ${next - atATime})`,
          inputs,
        });
        break;
      }
    }
    result.delivered[target.name] = next - from;
    options.say?.(`${target.name}: ${next - from} inputs`);
  }
}

const pidOf = (status: FleetStatus, part: string): number | undefined =>
  part === "supervisor" ? status.pid : (status.parts.find(({ name }) => name === part)?.pid ?? undefined);

async function judge(
  before: FleetStatus,
  after: FleetStatus | undefined,
  targets: readonly Target[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const found = (target: string, what: string) => findings.push({ target, what, inputs: [] });
  if (after === undefined) found("supervisor", "it gives no status any more");
  for (const part of after?.parts ?? []) {
    const was = before.parts.find(({ name }) => name === part.name);
    if (part.restarts !== was?.restarts) found(part.name, `restarted: ${part.lastExit}`);
    if (part.state !== "ready") found(part.name, `is ${part.state}`);
    const growth = (part.usage?.memoryBytes ?? 0) - (was?.usage?.memoryBytes ?? 0);
    if (growth > maxGrowthBytes) found(part.name, `grew by ${Math.round(growth / 1e6)} MB`);
  }
  for (const target of targets) {
    if (!(await answers(target))) found(target.name, "does not answer any more");
  }
  return findings;
}

/** An HTTP listener answers something; another takes a connection. */
function answers({ host, port, name }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    if (/xDS|gRPC|HTTP\/2/.test(name)) {
      const socket = connect({ host, port, timeout: 10_000 }, () => socket.destroy());
      socket.once("error", () => resolve(false)).once("timeout", () => socket.destroy(new Error("timeout")));
      socket.once("close", (failed) => resolve(!failed));
      return;
    }
    const request = get({ host, port, path: "/", agent: false, timeout: 10_000 }, (response) => {
      response.resume();
      resolve(true);
    });
    request.once("timeout", () => request.destroy(new Error("timeout"))).once("error", () => resolve(false));
  });
}
