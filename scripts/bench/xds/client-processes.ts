import { fork } from "node:child_process";
import { resolve } from "node:path";
import { cpuSeconds, wait } from "../process-usage.ts";
import type { Connect, FromClients, Report, ToClients } from "./clients.ts";

/** A process of many proxies. */
export interface Clients {
  send(message: ToClients): void;
  report(): Promise<Report>;
  /** Writes what they will say that they hold. */
  prepare(held: Record<string, Record<string, string>>): Promise<void>;
  learn(target: string): Promise<Record<string, Record<string, string>>>;
  cpuSeconds(): number;
  stop(): void;
}

export function startClients(count: number): Clients[] {
  return Array.from({ length: count }, () => {
    const child = fork(resolve(import.meta.dirname, "clients.ts"), { stdio: "inherit" });
    const next = () => new Promise<FromClients>((done) => child.once("message", done));
    return {
      send: (message) => child.send(message),
      async report() {
        child.send({ report: true });
        const answer = await next();
        return "report" in answer ? answer.report : outOfTurn();
      },
      async prepare(held) {
        child.send({ prepare: held });
        const answer = await next();
        if (!("prepared" in answer)) outOfTurn();
      },
      async learn(target) {
        child.send({ learn: { target } });
        const answer = await next();
        return "learned" in answer ? answer.learned : outOfTurn();
      },
      cpuSeconds: () => cpuSeconds(child.pid ?? 0),
      stop: () => {
        if (child.connected) child.disconnect();
      },
    };
  });
}

const outOfTurn = (): never => {
  throw new Error("a client process answered out of turn");
};

/** So many proxies in all, shared among the processes. */
export function connectAll(clients: readonly Clients[], count: number, connect: Omit<Connect, "from" | "count">): void {
  const share = Math.ceil(count / clients.length);
  clients.forEach((each, i) => {
    each.send({ connect: { ...connect, from: i * share, count: Math.min(share, count - i * share) } });
  });
}

export async function total(clients: readonly Clients[]): Promise<Report> {
  const reports = await Promise.all(clients.map((each) => each.report()));
  const sum = (pick: (report: Report) => number) => reports.reduce((all, report) => all + pick(report), 0);
  return {
    synced: sum(({ synced }) => synced),
    syncedAt: Math.max(...reports.map(({ syncedAt }) => syncedAt)),
    bytes: sum(({ bytes }) => bytes),
    resources: sum(({ resources }) => resources),
    unchanged: sum(({ unchanged }) => unchanged),
    responses: sum(({ responses }) => responses),
    lastAckAt: Math.max(...reports.map(({ lastAckAt }) => lastAckAt)),
    errors: reports.flatMap(({ errors }) => errors),
  };
}

/** Waits for that many clients to have everything; says which errors there were when it takes over five minutes. */
export async function untilSynced(clients: readonly Clients[], synced: number): Promise<Report> {
  for (const deadline = Date.now() + 300_000; ; await wait(100)) {
    const report = await total(clients);
    if (report.synced >= synced) return report;
    if (Date.now() > deadline) {
      throw new Error(`after five minutes ${report.synced} of ${synced} are in sync: ${JSON.stringify(report)}`);
    }
  }
}

export const nowMs = (): number => performance.timeOrigin + performance.now();
