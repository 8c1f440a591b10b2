import { badgesOf } from "../../../config/badges.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { BadgesThen } from "../../../contract/index.ts";
import { buildMesh } from "../../../model/mesh.ts";
import { meshServices } from "../../../model/mesh-services.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { meshAt } from "./mesh-at.ts";
import { integerQuery } from "./request.ts";

/** A replay asks for one moment after the other, and few of them differ. */
const remembered = new WeakMap<ApiContext, Map<number, BadgesThen>>();
const maxRemembered = 16;

/** Where config acted on each service at a moment of the past: by the mesh of then, with the rules that were in force in it. */
export async function badgesThen(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const at = integerQuery(request, "at", context.clock.now(), Number.MAX_SAFE_INTEGER);
  const { objects, revision } = await meshAt(context.store, { at });
  const known = remembered.get(context) ?? new Map<number, BadgesThen>();
  remembered.set(context, known);
  const body = known.get(revision) ?? { revision, services: await badgesIn(context, [...objects.values()], revision) };
  known.set(revision, body);
  const [oldest] = known.keys();
  if (known.size > maxRemembered && oldest !== undefined) known.delete(oldest);
  return { status: 200, body };
}

async function badgesIn(
  context: ApiContext,
  objects: ConfigObject[],
  revision: number,
): Promise<BadgesThen["services"]> {
  const named = (kind: string) =>
    new Map(
      objects
        .filter((object) => object.kind === kind)
        .map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]),
    );
  const [routes, rules] = [named("VirtualService"), named("DestinationRule")];
  const { options } = await context.mesh();
  return meshServices(buildMesh(objects, revision, options)).map((service) => ({
    namespace: service.namespace,
    hostname: service.hostname,
    badges: badgesOf(service, routes, rules),
  }));
}
