import type { ConfigApiClient } from "../config/api-client.ts";
import type { ConfigThen, MeshExport } from "../contract/index.ts";

/** What was in force at a time beside what is, object by object; those that nobody writes by hand left out. */
export function createConfigThen(api: Pick<ConfigApiClient, "mesh">) {
  return async (at: number): Promise<ConfigThen> => {
    const [then, now] = await Promise.all([api.mesh({ at }), api.mesh()]);
    const before = byKey(then);
    const after = byKey(now);
    const keys = [...new Set([...before.keys(), ...after.keys()])];
    const objects = keys.flatMap((key) => {
      const [was, is] = [before.get(key), after.get(key)];
      const one = was ?? is;
      if (one === undefined || specOf(was?.yaml) === specOf(is?.yaml)) return [];
      const { kind, namespace, name } = one;
      return [{ kind, namespace, name, was: was?.yaml ?? "", is: is?.yaml ?? "" }];
    });
    const same = before.size - objects.filter((each) => each.was !== "").length;
    return { at, revision: then.revision, objects, same };
  };
}

type Exported = MeshExport["objects"][number];

/** Workloads come and go by themselves. */
const byKey = ({ objects }: MeshExport): ReadonlyMap<string, Exported> =>
  new Map(
    objects
      .filter(({ kind }) => kind !== "WorkloadEntry")
      .map((object) => [`${object.kind}/${object.namespace}/${object.name}`, object]),
  );

/** Status is what was found, and no config. */
const specOf = (yaml: string | undefined): string | undefined => yaml?.replace(/^status:\n(?: .*\n?)*/m, "");
