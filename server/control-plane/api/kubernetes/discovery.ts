import type { KindDefinition } from "../../../config/kind.ts";
import { apiVersionOf, type GroupVersions, type KindIndex } from "../kind-index.ts";
import { noSuchResource } from "../status-error.ts";

const readVerbs = ["get", "list", "watch"];
const statusVerbs = ["get", "patch", "update"];
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** What kubectl asks first. Limpid speaks the API as of Kubernetes 1.32. */
export const versionInfo = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0+limpid",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`, // by Go's names
};

export const coreVersions = (kinds: KindIndex): Record<string, unknown> => ({
  kind: "APIVersions",
  versions: kinds.groups().find((group) => group.group === "")?.versions ?? [],
  serverAddressByClientCIDRs: [],
});

export const groupList = (kinds: KindIndex): Record<string, unknown> => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: kinds
    .groups()
    .filter(({ group }) => group !== "")
    .map(describeGroup),
});

/** Throws 404 for a group that isn't served. */
export function groupInfo(kinds: KindIndex, name: string): Record<string, unknown> {
  const group = kinds.groups().find((known) => known.group === name && name !== "");
  if (group === undefined) throw noSuchResource();
  return { kind: "APIGroup", apiVersion: "v1", ...describeGroup(group) };
}

function describeGroup({ group, versions, preferred }: GroupVersions) {
  const entry = (version: string) => ({ groupVersion: apiVersionOf(group, version), version });
  return { name: group, versions: versions.map(entry), preferredVersion: entry(preferred) };
}

/** Throws 404 for a version that isn't served. */
export function resourceList(kinds: KindIndex, group: string, version: string): Record<string, unknown> {
  const members = kinds.inGroupVersion(group, version);
  if (members.length === 0) throw noSuchResource();
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf(group, version),
    resources: members.flatMap((kind) => [
      describeKind(kind, kinds.isEmpty(kind) ? readVerbs : verbs),
      ...(kinds.isEmpty(kind) ? [] : [describeStatus(kind)]),
    ]),
  };
}

/** The subresource that holds what controllers find out of an object. */
const describeStatus = ({ plural, namespaced, kind }: KindDefinition) => ({
  name: `${plural}/status`,
  singularName: "",
  namespaced,
  kind,
  verbs: statusVerbs,
});

const describeKind = (kind: KindDefinition, served: readonly string[]) => ({
  name: kind.plural,
  singularName: kind.singular,
  namespaced: kind.namespaced,
  kind: kind.kind,
  verbs: served,
  ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
  ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
});
