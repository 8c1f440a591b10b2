import { badgesOf } from "../../../config/badges.ts";
import type { BadgesThen } from "../../../contract/index.ts";
import type { Mesh } from "../../../model/mesh.ts";
import { meshOf } from "../../../model/mesh-of.ts";
import { meshServices } from "../../../model/mesh-services.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { type Moment, meshAt } from "./mesh-at.ts";
import { integerQuery } from "./request.ts";

/** A replay asks for one moment after the other, and few of them differ. */
const remembered = new WeakMap<ApiContext, Map<number, BadgesThen>>();
const maxRemembered = 16;

/** Where config acted on each service at a moment of the past: by the mesh of then, with the rules that were in force in it. */
export async function badgesThen(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const at = integerQuery(request, "at", context.clock.now(), Number.MAX_SAFE_INTEGER);
  const { revision, mesh } = await modelAt(context, { at });
  const known = remembered.get(context) ?? new Map<number, BadgesThen>();
  remembered.set(context, known);
  const body = known.get(revision) ?? { revision, services: badgesIn(mesh()) };
  known.set(revision, body);
  const [oldest] = known.keys();
  if (known.size > maxRemembered && oldest !== undefined) known.delete(oldest);
  return { status: 200, body };
}

/** The mesh of then is made of that of now, when somebody asks for it: what both have alike is not resolved again. */
export async function modelAt(
  context: Pick<ApiContext, "store" | "mesh">,
  moment: Moment,
): Promise<{ revision: number; mesh(): Mesh }> {
  const { objects, revision } = await meshAt(context.store, moment);
  const now = await context.mesh();
  return { revision, mesh: () => meshOf(now, objects.values(), revision) };
}

function badgesIn(mesh: Mesh): BadgesThen["services"] {
  const named = (kind: string) => mesh.objects.get(kind) ?? new Map();
  const [routes, rules] = [named("VirtualService"), named("DestinationRule")];
  return meshServices(mesh).map((service) => ({
    namespace: service.namespace,
    hostname: service.hostname,
    badges: badgesOf(service, routes, rules),
  }));
}
