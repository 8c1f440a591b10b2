import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse, ApiRouter } from "../router.ts";
import { badRequest, StatusError } from "../status-error.ts";

/** One thing that has to be so; `problem` says in a sentence why it isn't. */
export interface HealthCheck {
  name: string;
  problem?: string | undefined;
}

/** How long a check may take: whoever probes has a limit of its own. */
const checkTimeoutMs = 2_000;

/**
 * `/livez`: this process answers, and whoever restarts processes goes by that. `/readyz`, and `/healthz` under its old name: changes can be
 * written and reach the proxies. As kube-apiserver's: `?verbose` lists the checks, `?exclude=<name>` leaves one out, `/readyz/<name>` asks
 * for one alone. https://kubernetes.io/docs/reference/using-api/health-checks/
 */
export function addHealth(router: ApiRouter, context: ApiContext): void {
  const live = async (): Promise<HealthCheck[]> => [{ name: "ping" }];
  const ready = async (): Promise<HealthCheck[]> => [
    ...(await live()),
    { name: "started", problem: context.ready() ? undefined : "the control plane is not ready yet" },
    { name: "config-store", problem: await problemOf(context) },
    ...context.checks(),
  ];
  for (const [path, checks] of [
    ["livez", live],
    ["readyz", ready],
    ["healthz", ready],
  ] as const) {
    router.add("GET", `/${path}`, async (request) => answer(path, select(await checks(), request), request));
    router.add("GET", `/${path}/:check`, async (request) => answer(path, select(await checks(), request), request));
  }
}

/** Whether a commit would be stored now: on a full disk, or without the file, it would not. */
async function problemOf({ store, clock }: ApiContext): Promise<string | undefined> {
  const late = `it gave no answer within ${checkTimeoutMs / 1000} s`;
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve(late), checkTimeoutMs);
    const done = (problem?: string): void => {
      timer.cancel();
      resolve(problem);
    };
    store.check().then(
      () => done(),
      (error: unknown) => done(error instanceof Error ? error.message : String(error)),
    );
  });
}

function select(checks: readonly HealthCheck[], { params, query }: ApiRequest): HealthCheck[] {
  const known = checks.map(({ name }) => name).join(", ");
  const excluded = query.getAll("exclude");
  const unknown = excluded.find((name) => !checks.some((check) => check.name === name));
  if (unknown !== undefined) throw badRequest(`exclude: there is no check ${unknown}; they are ${known}`);
  const { check: name } = params;
  if (name === undefined) return checks.filter((check) => !excluded.includes(check.name));
  const only = checks.filter((check) => check.name === name);
  if (only.length === 0) throw new StatusError(404, "NotFound", `there is no check ${name}; they are ${known}`);
  return only;
}

function answer(path: string, checks: readonly HealthCheck[], { query }: ApiRequest): ApiResponse {
  const isGood = checks.every(({ problem }) => problem === undefined);
  const status = isGood ? 200 : 503;
  if (query.has("verbose")) {
    const lines = checks.map(({ name, problem }) =>
      problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`,
    );
    const text = [...lines, `${path} check ${isGood ? "passed" : "failed"}`, ""].join("\n");
    return { status, body: Buffer.from(text), headers: { "content-type": "text/plain; charset=utf-8" } };
  }
  const body = {
    status: isGood ? "ok" : "failed",
    checks: checks.map(({ name, problem }) => ({
      name,
      ok: problem === undefined,
      ...(problem && { message: problem }),
    })),
  };
  return { status, body };
}
