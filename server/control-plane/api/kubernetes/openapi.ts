import { createHash } from "node:crypto";
import type { KindDefinition } from "../../../config/kind.ts";
import { apiVersionOf, type KindIndex } from "../kind-index.ts";
import { noSuchResource } from "../status-error.ts";
import { metaName, metaSchema, objectSchema, schemaName } from "./openapi-schema.ts";

type Plain = Record<string, unknown>;

export interface OpenApi {
  /** `/openapi/v3`: where each group version's document is; the hash lets clients cache it for good. */
  index(): Plain;
  /** One group version; `group` is empty for core. Throws 404. */
  document(group: string, version: string): Plain;
  /** `/openapi/v2` as JSON: everything in one document. */
  v2(): Plain;
}

export function createOpenApi(kinds: KindIndex): OpenApi {
  const cache = new Map<string, Plain>();
  const document = (group: string, version: string): Plain => {
    const members = kinds.inGroupVersion(group, version);
    if (members.length === 0) throw noSuchResource();
    const key = apiVersionOf(group, version);
    const known = cache.get(key) ?? buildDocument(members, group, version);
    cache.set(key, known);
    return known;
  };
  return {
    document,
    index() {
      const paths: Plain = {};
      for (const { group, versions } of kinds.groups()) {
        for (const version of versions) {
          const path = basePath(group, version).slice(1);
          const hash = createHash("sha256")
            .update(JSON.stringify(document(group, version)))
            .digest("hex");
          paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash.slice(0, 32).toUpperCase()}` };
        }
      }
      return { paths };
    },
    v2() {
      const reference = (name: string): string => `#/definitions/${name}`;
      const definitions: Plain = { [metaName]: metaSchema };
      const paths: Plain = {};
      for (const { group, versions } of kinds.groups()) {
        for (const version of versions) {
          for (const kind of kinds.inGroupVersion(group, version)) {
            definitions[schemaName(kind, version)] = objectSchema(kind, version, reference);
            Object.assign(paths, pathsOf(kind, version));
          }
        }
      }
      return { swagger: "2.0", info, paths, definitions };
    },
  };
}

const info = { title: "Limpid", version: "v1.32.0" };

const basePath = (group: string, version: string): string => (group ? `/apis/${group}/${version}` : `/api/${version}`);

function buildDocument(members: readonly KindDefinition[], group: string, version: string): Plain {
  const reference = (name: string): string => `#/components/schemas/${name}`;
  const schemas: Plain = { [metaName]: metaSchema };
  const paths: Plain = { [`${basePath(group, version)}/`]: { get: { description: "get available resources" } } };
  for (const kind of members) {
    schemas[schemaName(kind, version)] = objectSchema(kind, version, reference);
    Object.assign(paths, pathsOf(kind, version));
  }
  return { openapi: "3.0.0", info, paths, components: { schemas } };
}

/** kubectl looks here whether the server can do `dryRun` and `fieldValidation`. */
function pathsOf(kind: KindDefinition, version: string): Plain {
  const base = `${basePath(kind.group, version)}${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}`;
  const operation = (action: string): Plain => ({
    operationId: `${action}${version}${kind.kind}`,
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group: kind.group, version, kind: kind.kind },
    parameters: ["post", "put", "patch"].includes(action)
      ? ["dryRun", "fieldManager", "fieldValidation"].map(queryParameter)
      : ["dryRun"].map(queryParameter),
    ...(action === "patch" ? { requestBody: { content: patchTypes(kind) } } : {}),
    responses: { 200: { description: "OK" } },
  });
  const parameters = kind.namespaced ? [pathParameter("namespace")] : [];
  return {
    [base]: { get: operation("list"), post: operation("post"), delete: operation("deletecollection"), parameters },
    [`${base}/{name}`]: {
      get: operation("get"),
      put: operation("put"),
      patch: operation("patch"),
      delete: operation("delete"),
      parameters: [...parameters, pathParameter("name")],
    },
  };
}

/** kubectl makes a strategic merge patch only where it is listed. */
function patchTypes(kind: KindDefinition): Plain {
  const types = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
  if (kind.group === "") types.push("application/strategic-merge-patch+json");
  return Object.fromEntries(types.map((type) => [type, { schema: { type: "object" } }]));
}

const queryParameter = (name: string) => ({ name, in: "query", schema: { type: "string", uniqueItems: true } });
const pathParameter = (name: string) => ({ name, in: "path", required: true, schema: { type: "string" } });

/**
 * The smallest `openapi.v2.Document` in protobuf: swagger = 1, info = 2 {title = 1, version = 2}, paths = 8. kubectl asks for v2 in this form
 * only where v3 has no answer; it must be able to read it, and finds nothing in it.
 * https://github.com/google/gnostic-models/blob/main/openapiv2/OpenAPIv2.proto
 */
export function emptyV2Protobuf(): Buffer {
  const field = (number: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]); // every content is shorter than 128 bytes
  const title = Buffer.concat([field(1, Buffer.from(info.title)), field(2, Buffer.from(info.version))]);
  return Buffer.concat([field(1, Buffer.from("2.0")), field(2, title), field(8, Buffer.alloc(0))]);
}
