import {
  allows,
  describeGrants,
  type Grant,
  machineAuthor,
  type Need,
  type Session,
  told,
  wholeMesh,
} from "../contract/index.ts";
import type { Told } from "../contract/told.ts";

/** Who makes a call. */
export interface Caller {
  name: string;
  displayName: string;
  way: Session["way"];
  grants: readonly Grant[];
  hasPassword: boolean;
  /** Of a session: by which it is ended. */
  sessionHash?: string;
}

/** The owner of this machine, whose data folder everything lies in. */
export const machineCaller = (name: string = machineAuthor): Caller => ({
  name,
  displayName: "",
  way: "machine",
  grants: [{ role: "administrator", namespace: wholeMesh }],
  hasPassword: false,
});

/** Why this is not allowed; undefined when it is. */
export function refusalOf(grants: readonly Grant[], need: Need): Told | undefined {
  if (allows(grants, need)) return undefined;
  const has = describeGrants(grants) || "none";
  const { role, namespace } = need;
  if (namespace === undefined) return told("not-allowed", { role, grants: has });
  if (namespace === wholeMesh) return told("not-allowed-mesh", { role, grants: has });
  return told("not-allowed-in", { role, namespace, grants: has });
}
