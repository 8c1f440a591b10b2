import { expect } from "vitest";
import type { Answer } from "./harness/call.ts";
import type { ScenarioCall, ScenarioMesh } from "./harness/mesh.ts";
import type { ProxyKind } from "./harness/proxy.ts";

/** Istio YAML, calls, and what must come of them on any proxy. */
export interface Scenario {
  name: string;
  /** Beyond the services, workloads and gateway that every scenario has. */
  config?: string | ((mesh: ScenarioMesh) => string);
  /** What the other kind of proxy may refuse, by name and nothing else with it. */
  only?: { kind: ProxyKind; because: string };
  /** How the applications behave. */
  arrange?(mesh: ScenarioMesh): void;
  steps: Step[];
  /** What can only be seen afterwards, from the applications. */
  after?(mesh: ScenarioMesh): void | Promise<void>;
}

export interface Step {
  call: ScenarioCall | ((mesh: ScenarioMesh) => ScenarioCall);
  /** Default 1. */
  times?: number;
  /** All at once instead of over a few connections. */
  concurrent?: boolean;
  expect: Expectation;
}

export interface Expectation {
  /** Of every answer. */
  status?: number;
  /** Share of answers by status, from 0 to 1. */
  statuses?: Record<number, number>;
  /** Share of answers by the version that gave them. */
  versions?: Record<string, number>;
  /** Response headers; null: absent. */
  headers?: Record<string, string | RegExp | null>;
  body?: string;
  /** What the application saw; a null header: absent. */
  upstream?: { app?: string; path?: string; headers?: Record<string, string | RegExp | null> };
  atLeastMs?: number;
  lessThanMs?: number;
  check?(answers: Answer[]): void;
}

export async function play(scenario: Scenario, mesh: ScenarioMesh): Promise<void> {
  await mesh.reset(...configOf(scenario, mesh));
  scenario.arrange?.(mesh);
  for (const step of scenario.steps) {
    const times = step.times ?? 1;
    const call = typeof step.call === "function" ? step.call(mesh) : step.call;
    const answers = await mesh.callMany(times, call, step.concurrent ? times : Math.min(4, times));
    judge(answers, step.expect, JSON.stringify(call));
  }
  await scenario.after?.(mesh);
}

/** For a proxy that may lack something: what it refuses it names, and everything else goes on. */
export async function playOrRefuse(scenario: Scenario, mesh: ScenarioMesh): Promise<void> {
  const refusal = await mesh.reset(...configOf(scenario, mesh)).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  if (refusal === undefined) return play(scenario, mesh);
  expect(refusal).toMatch(/^Error: refused: .*not supported/);
  expect((await mesh.call({})).status).toBe(200);
}

function configOf({ config }: Scenario, mesh: ScenarioMesh): string[] {
  const yaml = typeof config === "function" ? config(mesh) : config;
  return yaml ? [yaml] : [];
}

function judge(answers: Answer[], expected: Expectation, what: string): void {
  for (const answer of answers) judgeOne(answer, expected, `${what} → ${answer.status} ${answer.body.slice(0, 300)}`);
  if (expected.statuses)
    expectShares(
      answers.map(({ status }) => String(status)),
      expected.statuses,
      what,
    );
  if (expected.versions) {
    expectShares(
      answers.map(({ echo }) => echo?.version ?? "none"),
      expected.versions,
      what,
    );
  }
  expected.check?.(answers);
}

function judgeOne(answer: Answer, expected: Expectation, what: string): void {
  if (expected.status !== undefined) expect(answer.status, what).toBe(expected.status);
  if (expected.body !== undefined) expect(answer.body, what).toBe(expected.body);
  if (expected.atLeastMs !== undefined) expect(answer.ms, what).toBeGreaterThanOrEqual(expected.atLeastMs);
  if (expected.lessThanMs !== undefined) expect(answer.ms, what).toBeLessThan(expected.lessThanMs);
  expectHeaders(answer.headers, expected.headers, what);
  if (expected.upstream === undefined) return;
  const { app, path, headers } = expected.upstream;
  expect(answer.echo, what).toBeDefined();
  if (app !== undefined) expect(answer.echo?.app, what).toBe(app);
  if (path !== undefined) expect(answer.echo?.path, what).toBe(path);
  expectHeaders(answer.echo?.headers ?? {}, headers, what);
}

function expectHeaders(
  headers: Record<string, string | string[] | undefined>,
  expected: Record<string, string | RegExp | null> | undefined,
  what: string,
): void {
  for (const [name, value] of Object.entries(expected ?? {})) {
    if (value === null) expect(headers[name], `${what}: ${name}`).toBeUndefined();
    else if (value instanceof RegExp) expect(String(headers[name]), `${what}: ${name}`).toMatch(value);
    else expect(headers[name], `${what}: ${name}`).toBe(value);
  }
}

/** Within five standard deviations: a right share fails once in two million runs. A share of 0 or 1 is exact, and nothing else may appear. */
export function expectShares(seen: string[], shares: Record<string, number>, what: string): void {
  const total = seen.length;
  const counts = new Map<string, number>();
  for (const key of seen) counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const key of counts.keys()) expect(Object.keys(shares), `${what}: of ${total}`).toContain(key);
  for (const [key, share] of Object.entries(shares)) {
    const tolerance = 5 * Math.sqrt(total * share * (1 - share));
    const count = counts.get(key) ?? 0;
    expect(
      Math.abs(count - share * total),
      `${what}: ${count} of ${total} were ${key}, expected ${share}`,
    ).toBeLessThanOrEqual(tolerance);
  }
}
