import { throughOf, type VirtualService } from "../../../config/edits/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { Commit, ConfigChange } from "../../../config/store.ts";
import { toYaml } from "../../../config/to-yaml.ts";
import type { ChangedObject, ChangeResult } from "../../../contract/index.ts";
import type { Mesh } from "../../../model/mesh.ts";
import { isDelegate, rootsOf } from "../../../model/virtual-service.ts";
import { firstMoves } from "../../canary/first-moves.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { warningHeader, warningsFor } from "../warnings/index.ts";
import { placedRefusal } from "./placed-refusal.ts";
import { shareChanges } from "./share-changes.ts";

/** More than anybody reads. */
const maxRefusals = 50;

/** The answer to every write of Limpid's API; on a dry run also who would refuse it, with `?envoy=true` what the proxies would get. */
export async function answerChange(
  context: ApiContext,
  request: ApiRequest,
  commit: Commit,
  options: { dryRun: boolean; undo?: ChangeResult["undo"] },
): Promise<ApiResponse> {
  const { dryRun, undo } = options;
  const warnings = await warningsFor(context, commit.changes);
  const follows = dryRun ? await firstMoves(context, commit.changes) : [];
  const changes = [...commit.changes, ...follows];
  const mesh = await context.mesh();
  const body: ChangeResult = {
    revision: commit.revision,
    dryRun,
    objects: [
      ...commit.changes.map((change) => changedObject(change, mesh)),
      ...follows.map((change) => ({ ...changedObject(change, mesh), follows: true as const })),
    ],
    proxies: context.pushes.affected(changes.map((change) => change.key)),
    warnings,
    shares: shareChanges(changes, mesh, context.gatewayProxies()),
    ...(undo && { undo }),
  };
  if (dryRun && context.pushes.preview) {
    const shown = request.query.get("envoy") === "true";
    const { envoy, refusals } = await context.pushes.preview(changes, { shown });
    if (shown) body.envoy = envoy;
    body.refusals = refusals.slice(0, maxRefusals).map((one) => placedRefusal(one, body.objects));
  }
  return { status: 200, headers: warningHeader(warnings, { named: true }), body };
}

function changedObject({ key, before, after }: ConfigChange, mesh: Mesh): ChangedObject {
  const shown = after ?? before;
  return {
    kind: key.kind,
    namespace: key.namespace,
    name: key.name,
    before: yamlOf(before),
    after: yamlOf(after),
    ...(key.kind === "VirtualService" && shown && { through: through(shown, mesh) }),
  };
}

/** A delegate is in force where its roots are. */
function through(object: ConfigObject, { objects }: Mesh): string[] {
  if (!isDelegate(object)) return throughOf(object as unknown as VirtualService);
  const { namespace, name } = object.metadata;
  const roots = rootsOf(objects.get("VirtualService") ?? new Map(), `${namespace}/${name}`);
  return [...new Set(roots.flatMap((root) => throughOf(root as unknown as VirtualService)))];
}

const yamlOf = (object: ConfigObject | undefined): string => (object === undefined ? "" : toYaml(object));
