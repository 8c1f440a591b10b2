import type { CanarySpec } from "../../../config/kinds/index.ts";
import { formatKey } from "../../../config/object.ts";
import { ConflictError } from "../../../config/store.ts";
import {
  CanaryAction,
  type CanaryList,
  CanaryRequest,
  type CanaryStatus,
  type CanaryView,
  findService,
  type MeshService,
  told,
} from "../../../contract/index.ts";
import { parseGoDuration } from "../../../lib/go-duration.ts";
import { advance } from "../../canary/advance.ts";
import { commitMove, type MoveToCommit, NotSharedError } from "../../canary/commit-move.ts";
import { thresholdsOf } from "../../canary/judge.ts";
import { finish, type Move, pause, resume, rollBack } from "../../canary/moves.ts";
import { type CanaryObject, canaryOf, serviceOf, statusOf, targetOf } from "../../canary/world.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { saidError } from "../status-error.ts";
import { answerChange } from "./change-result.ts";
import { invalidFields, isDryRunQuery, limpidActor, readBodyAs } from "./request.ts";

export async function getCanaries(context: ApiContext): Promise<ApiResponse> {
  const [{ items }, services] = await Promise.all([context.store.list({ kind: "Canary" }), context.services()]);
  const body: CanaryList = {
    now: context.clock.now(),
    canaries: items.map((item) => viewOf(context, canaryOf(item), services)),
  };
  return { status: 200, body };
}

function viewOf(context: ApiContext, canary: CanaryObject, services: readonly MeshService[]): CanaryView {
  const { spec } = canary;
  const { namespace, name } = canary.metadata;
  const service = serviceOf(canary);
  const status = statusOf(canary) ?? null;
  return {
    namespace,
    name,
    service: { ...service, hostname: findService(services, service.namespace, service.name)?.hostname ?? null },
    from: spec.from,
    to: spec.to,
    steps: spec.steps.map(({ weight, hold }) => ({ weight, holdMs: parseGoDuration(hold) ?? 0 })),
    thresholds: thresholdsOf(spec),
    onFailure: spec.onFailure ?? "Rollback",
    paused: spec.paused ?? false,
    status,
    live: status?.phase === "Progressing" ? context.liveCanary(`${namespace}/${name}`) : null,
  };
}

/** The first step in the commit that makes the object, so that one that can't begin is refused and not stored. */
export async function postCanary(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { namespace, name, spec } = await readBodyAs(CanaryRequest, request);
  const definition = context.kinds.byKind("Canary");
  if (definition === undefined) throw new Error("Canary is not served");
  const apiVersion = `${definition.group}/${definition.version}`;
  const parsed = definition.parse({ apiVersion, kind: "Canary", metadata: { namespace, name }, spec });
  if (!parsed.ok) throw invalidFields(parsed.errors);
  const stored = await context.store.get({ kind: "Canary", namespace, name });
  const existing = stored && canaryOf(stored);
  const status = existing && statusOf(existing);
  if (status?.phase === "Progressing" || status?.phase === "Paused")
    throw saidError(409, "Conflict", told("canary-runs", { name, phase: status.phase }));
  const wanted = canaryOf(parsed.value);
  const canary = existing ?? { ...wanted, metadata: { ...wanted.metadata, namespace } };
  const target = await targetOf(context, { ...canary, spec: wanted.spec, status: {} });
  if (target === undefined) throw saidError(404, "NotFound", told("no-service", serviceOf(wanted)));
  await refuseRivals(context, canary, target.config.service);
  const start = { ...wanted.spec, paused: false };
  const advice = advance(start, undefined, { now: context.clock.now(), route: target.route });
  if (typeof target.route === "string" || advice.is !== "move") throw notShared(String(target.route));
  return commit(context, request, { canary, target, move: advice.move, spec: withoutPause(wanted.spec) });
}

/** Two that move one service's weights would each take the other for somebody else. */
async function refuseRivals(context: ApiContext, canary: CanaryObject, service: MeshService): Promise<void> {
  const [{ items }, services] = await Promise.all([context.store.list({ kind: "Canary" }), context.services()]);
  for (const item of items.map(canaryOf)) {
    const isSelf = item.metadata.name === canary.metadata.name && item.metadata.namespace === canary.metadata.namespace;
    const phase = statusOf(item)?.phase;
    if (isSelf || (phase !== "Progressing" && phase !== "Paused")) continue;
    const theirs = serviceOf(item);
    if (findService(services, theirs.namespace, theirs.name)?.hostname !== service.hostname) continue;
    throw saidError(409, "Conflict", told("canary-runs", { name: item.metadata.name, phase }));
  }
}

/** Pause, resume, promote or abort, by hand. */
export async function actOnCanary(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { namespace = "", name = "", action: wanted = "" } = request.params;
  const action = CanaryAction.safeParse(wanted).data;
  if (action === undefined) throw saidError(404, "NotFound", told("canary-action", { action: wanted }));
  const key = { kind: "Canary", namespace, name };
  const stored = await context.store.get(key);
  const canary = stored && canaryOf(stored);
  if (canary === undefined) throw saidError(404, "NotFound", told("no-object", { object: formatKey(key) }));
  const status = statusOf(canary);
  const { spec } = canary;
  const phase = status?.phase ?? "Pending";
  const fits = phase === "Progressing" ? action !== "resume" : phase === "Paused" && action !== "pause";
  if (status === undefined || !fits) throw saidError(409, "Conflict", told("canary-phase", { name, phase, action }));
  const move = moveOf(action, status, spec, context.clock.now());
  const target = await targetOf(context, canary);
  const paused = action === "pause" ? { spec: { ...spec, paused: true } } : {};
  const resumed = action === "resume" && spec.paused ? { spec: withoutPause(spec) } : {};
  return commit(context, request, { canary, target, move, ...paused, ...resumed });
}

function moveOf(action: CanaryAction, status: CanaryStatus, spec: CanarySpec, now: number): Move {
  switch (action) {
    case "pause":
      return pause(status, now, "PausedByHand", { message: "paused by hand" });
    case "resume":
      return resume(status, spec, now);
    case "promote":
      return finish(status, now, "Promoted");
    case "abort":
      return rollBack(status, now, "Aborted");
  }
}

const withoutPause = ({ paused: _, ...spec }: CanarySpec): CanarySpec => spec;

async function commit(
  context: ApiContext,
  request: ApiRequest,
  move: Omit<MoveToCommit, "author" | "dryRun">,
): Promise<ApiResponse> {
  const dryRun = isDryRunQuery(request);
  const { author } = limpidActor(request);
  try {
    return await answerChange(context, request, await commitMove(context, { ...move, author, dryRun }), { dryRun });
  } catch (error) {
    if (error instanceof ConflictError) throw saidError(409, "Conflict", error.told);
    if (error instanceof NotSharedError) throw notShared(error.message);
    throw error;
  }
}

const notShared = (why: string) => invalidFields([{ path: "spec", ...told("canary-not-shared", { why }) }]);
