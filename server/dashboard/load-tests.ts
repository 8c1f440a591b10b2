import { randomUUID } from "node:crypto";
import {
  type ChangeList,
  DashboardError,
  type LoadOutcome,
  type LoadPlan,
  type LoadReport,
  type LoadRun,
  type LoadTargets,
  type LoadTests,
  type MadeLoadTest,
  told,
} from "../contract/index.ts";
import { type AsideRun, runLoadAside } from "../load/load-aside.ts";
import type { LoadReports } from "./load-reports.ts";

export interface LoadTestSources {
  reports: LoadReports;
  targets(): Promise<LoadTargets>;
  /** The newest first. */
  changes(): Promise<ChangeList>;
  now(): number;
  /** Hears that a report could not be kept. */
  onError(error: unknown): void;
}

interface Running {
  run: LoadRun;
  aside: AsideRun;
  stopped: boolean;
}

/** Load tests: one at a time, against this mesh's own proxies; what they found is kept. Everything rejects with `DashboardError`. */
export function createLoadTests({ reports, targets, changes, now, onError }: LoadTestSources) {
  let running: Running | undefined;

  const revisionAt = async (at: number): Promise<number | null> =>
    changes().then(
      (list) => list.changes.find((change) => change.at <= at)?.revision ?? null,
      () => null,
    );

  async function finish(it: Running): Promise<void> {
    const end = await it.aside.outcome.then(
      (outcome) => ({ outcome, ended: it.stopped ? ("stopped" as const) : ("done" as const) }),
      (error: Error) => ({ outcome: it.run.outcome, ended: "failed" as const, why: error.message }),
    );
    const { elapsedSec: _, ...begun } = it.run;
    const endedAt = now();
    const revision = { from: begun.revision.from, to: await revisionAt(endedAt) };
    running = undefined;
    reports.add({ ...begun, ...end, endedAt, revision });
  }

  return {
    async loadTests(): Promise<LoadTests> {
      const kept = reports.list().map((report) => ({ ...report, outcome: { ...report.outcome, seconds: [] } }));
      return { now: now(), running: running?.run ?? null, reports: kept };
    },

    async loadTest(id: string): Promise<LoadReport> {
      return reports.get(id) ?? missing(id);
    },

    /** Rejects with CONFLICT while another one runs, and with INVALID for addresses outside of this mesh. */
    async startLoadTest(plan: LoadPlan, author: string): Promise<LoadRun> {
      const origins = (await targets()).targets.map((target) => target.origin);
      const known = [...new Set(origins)].slice(0, 10).join(", ") || "-";
      const elsewhere = [plan, ...plan.also].flatMap(({ url }, index) => {
        const { origin } = new URL(url);
        const path = index === 0 ? "url" : `also[${index - 1}].url`;
        return origins.includes(origin) ? [] : [{ path, ...told("load-elsewhere", { origin, known }) }];
      });
      const [first] = elsewhere;
      if (first) {
        const { path: _, ...said } = first;
        throw new DashboardError({ code: "INVALID", ...said, errors: elsewhere });
      }
      const from = await revisionAt(now());
      if (running) {
        const { plan: its, elapsedSec } = running.run;
        const sec = Math.max(1, Math.ceil(its.warmUpSec + its.durationSec - elapsedSec));
        throw new DashboardError({ code: "CONFLICT", ...told("load-runs", { sec }) });
      }
      const it: Running = {
        run: {
          ...{ id: randomUUID(), plan: withoutSecrets(plan), author, startedAt: now(), elapsedSec: 0 },
          ...{ revision: { from, to: null }, outcome: nothingYet },
        },
        aside: runLoadAside(plan, (elapsedSec, outcome) => {
          it.run = { ...it.run, elapsedSec, outcome };
        }),
        stopped: false,
      };
      running = it;
      finish(it).catch(onError);
      return it.run;
    },

    async stopLoadTest(): Promise<void> {
      if (!running) throw new DashboardError({ code: "NOT_FOUND", ...told("no-load-running", {}) });
      running.stopped = true;
      running.aside.stop();
    },

    /** Keeps what a command measured by itself. */
    async keepLoadTest(made: MadeLoadTest, author: string): Promise<LoadReport> {
      const [from, to] = await Promise.all([revisionAt(made.startedAt), revisionAt(made.endedAt)]);
      const report: LoadReport = {
        ...made,
        plan: withoutSecrets(made.plan),
        id: randomUUID(),
        author,
        revision: { from, to },
      };
      reports.add(report);
      return report;
    },

    async forgetLoadTest(id: string): Promise<void> {
      if (!reports.remove(id)) missing(id);
    },
  };
}

export type LoadTestCalls = ReturnType<typeof createLoadTests>;

function missing(id: string): never {
  throw new DashboardError({ code: "NOT_FOUND", ...told("no-load-test", { id }) });
}

const secretHeader = /^cookie$|authorization|token|secret|password|api-?key|credential/i;
const keptBody = 2000;

/** As it is shown and kept: what a header says in confidence is in nobody's report. */
const withoutSecrets = (plan: LoadPlan): LoadPlan => ({
  ...plan,
  headers: shownHeaders(plan.headers),
  body: shownBody(plan.body),
  also: plan.also.map(({ headers, body, ...one }) => ({
    ...one,
    ...(headers && { headers: shownHeaders(headers) }),
    ...(body !== undefined && { body: shownBody(body) }),
  })),
});

const shownHeaders = (headers: LoadPlan["headers"]): LoadPlan["headers"] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, secretHeader.test(name) ? "(not kept)" : value]),
  );
const shownBody = (body: string): string => (body.length > keptBody ? `${body.slice(0, keptBody)}…` : body);

const noLatency = { p50: null, p75: null, p90: null, p95: null, p99: null, p999: null, max: null };
/** Of a run that has just begun. */
export const nothingYet: LoadOutcome = {
  ...{ due: 0, sent: 0, answered: 0, ok: 0, statuses: {}, failures: {}, bytes: 0, answeredPerSec: 0 },
  ...{ latency: noLatency, serviceTime: noLatency, generatorLagMs: 0, seconds: [], requests: [] },
};
