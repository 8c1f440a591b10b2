import type { ConfigObject } from "../../../config/object.ts";
import type { Commit } from "../../../config/store.ts";
import { toYaml } from "../../../config/to-yaml.ts";
import type { ChangeResult } from "../../../contract/index.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest } from "../router.ts";

/** The same, on a dry run with `?envoy=true` also as the proxies would get it. */
export async function answerChange(
  context: ApiContext,
  request: ApiRequest,
  commit: Commit,
  dryRun: boolean,
): Promise<ChangeResult> {
  const result = toChangeResult(context, commit, dryRun);
  if (!dryRun || request.query.get("envoy") !== "true" || !context.pushes.preview) return result;
  return { ...result, envoy: await context.pushes.preview(commit.changes) };
}

/** The answer to every write of Limpid's API. */
export function toChangeResult(context: ApiContext, commit: Commit, dryRun: boolean): ChangeResult {
  return {
    revision: commit.revision,
    dryRun,
    objects: commit.changes.map(({ key, before, after }) => ({
      kind: key.kind,
      namespace: key.namespace,
      name: key.name,
      before: yamlOf(before),
      after: yamlOf(after),
    })),
    proxies: context.pushes.affected(commit.changes.map((change) => change.key)),
  };
}

const yamlOf = (object: ConfigObject | undefined): string => (object === undefined ? "" : toYaml(object));
