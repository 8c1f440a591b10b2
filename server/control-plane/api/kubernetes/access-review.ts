import { z } from "zod";
import { type Caller, refusalOf } from "../../../access/caller.ts";
import { type Grant, wholeMesh } from "../../../contract/index.ts";
import { writeNeedOf } from "../../access/guarded-store.ts";
import { decodeObject } from "../body.ts";
import type { ApiContext } from "../context.ts";
import type { KindIndex } from "../kind-index.ts";
import type { ApiRequest, ApiResponse, ApiRouter } from "../router.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { resourceRules } from "./access-rules.ts";

const authorization = "authorization.k8s.io/v1";
const authentication = "authentication.k8s.io/v1";

const text = () => z.string().max(500).default("");
const resourceSchema = z.object({
  namespace: text(),
  verb: text(),
  group: text(),
  resource: text(),
  subresource: text(),
  name: text(),
});
const questionSchema = z.object({
  resourceAttributes: resourceSchema.optional(),
  nonResourceAttributes: z.object({ path: text(), verb: text() }).optional(),
});
type Question = z.output<typeof questionSchema>;

/**
 * What clients ask before they do something (`kubectl auth can-i`, `kubectl auth whoami`, dashboards such as k9s). Who comes over loopback and says
 * nothing of themselves may do everything; who has a token, what its roles say.
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */
export function addAccessReviews(router: ApiRouter, { kinds }: Pick<ApiContext, "kinds">): void {
  const add = (path: string, answer: (request: ApiRequest, spec: Record<string, unknown>) => object): void =>
    router.add("POST", path, async (request): Promise<ApiResponse> => {
      const body = await decodeObject(request.body, request.contentType);
      const spec = z.record(z.string(), z.unknown()).catch({}).parse(body.spec);
      const [apiVersion, kind] = [path.slice("/apis/".length, path.lastIndexOf("/")), kindOf(path)];
      return { status: 201, body: { apiVersion, kind, metadata: {}, spec, status: answer(request, spec) } };
    });
  const self = ({ caller }: ApiRequest, spec: Record<string, unknown>) => verdict(kinds, caller?.grants, read(spec));
  add(`/apis/${authorization}/selfsubjectaccessreviews`, self);
  add(`/apis/${authorization}/selfsubjectrulesreviews`, ({ caller }, { namespace }) =>
    resourceRules(kinds, caller?.grants, typeof namespace === "string" ? namespace : ""),
  );
  const other = (request: ApiRequest, spec: Record<string, unknown>) => {
    // Roles are given to people of the console and to tokens; of whom else should be known what they may do?
    if (spec.user !== (request.caller ? request.caller.name : anonymous))
      throw new StatusError(403, "Forbidden", "of others this API does not say what they may do: ask with their token");
    return self(request, spec);
  };
  add(`/apis/${authorization}/subjectaccessreviews`, other);
  router.add("POST", `/apis/${authorization}/namespaces/:namespace/localsubjectaccessreviews`, async (request) => {
    const { spec = {} } = await decodeObject(request.body, request.contentType);
    const asked = z.record(z.string(), z.unknown()).catch({}).parse(spec);
    const { resourceAttributes } = read(asked);
    if (resourceAttributes?.namespace !== request.params.namespace)
      throw badRequest("spec.resourceAttributes.namespace must be the namespace of the path");
    const body = { apiVersion: authorization, kind: "LocalSubjectAccessReview", metadata: {}, spec: asked };
    return { status: 201, body: { ...body, status: other(request, asked) } };
  });
  add(`/apis/${authentication}/selfsubjectreviews`, ({ caller }) => ({ userInfo: userInfo(caller) }));
}

const anonymous = "system:anonymous";

const kindOf = (path: string): string =>
  ({
    selfsubjectaccessreviews: "SelfSubjectAccessReview",
    selfsubjectrulesreviews: "SelfSubjectRulesReview",
    subjectaccessreviews: "SubjectAccessReview",
  })[path.slice(path.lastIndexOf("/") + 1)] ?? "SelfSubjectReview";

/** Throws 400 for what asks nothing, or two things. */
function read(spec: Record<string, unknown>): Question {
  const question = questionSchema.safeParse(spec);
  if (!question.success) throw badRequest(`spec: ${z.prettifyError(question.error)}`);
  const { resourceAttributes, nonResourceAttributes } = question.data;
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined))
    throw badRequest("spec: one of resourceAttributes and nonResourceAttributes must be there");
  return question.data;
}

const readVerbs: readonly string[] = ["get", "list", "watch"];
const knownVerbs = new Set([...readVerbs, "create", "update", "patch", "delete", "deletecollection", "*"]);

const no = (reason: string) => ({ allowed: false, denied: false, reason });

function verdict(kinds: KindIndex, grants: readonly Grant[] | undefined, question: Question) {
  const refusal = refusalFor(kinds, grants, question);
  return refusal === undefined ? { allowed: true, reason: describe(grants) } : no(refusal);
}

const describe = (grants: readonly Grant[] | undefined): string =>
  grants === undefined ? "programs of this machine may do everything over loopback" : "by a role in Limpid";

/** Why not; undefined: it is allowed. */
function refusalFor(
  kinds: KindIndex,
  grants: readonly Grant[] | undefined,
  { resourceAttributes: asked, nonResourceAttributes: path }: Question,
): string | undefined {
  if (grants === undefined) return undefined;
  if (asked === undefined) {
    const reads = path?.verb === "get" || path?.verb === "head";
    return refusalOf(grants, reads ? { role: "viewer" } : { role: "operator", namespace: wholeMesh })?.message;
  }
  const { verb, group, resource, namespace, subresource } = asked;
  if (!knownVerbs.has(verb)) return `nobody has the verb ${JSON.stringify(verb)} here`;
  if (readVerbs.includes(verb)) return refusalOf(grants, { role: "viewer" })?.message;
  if (subresource !== "" && subresource !== "status" && subresource !== "*")
    return `there is no subresource ${JSON.stringify(subresource)} here`;
  const kind = kinds.all.find(({ plural, group: of }) => plural === resource && (of === group || group === "*"));
  if (kind === undefined && resource !== "*") return `there is no resource ${JSON.stringify(resource)} to write here`;
  const isNamespaced = kind?.namespaced ?? true;
  const need = writeNeedOf({ kind: kind?.kind ?? "", namespace: isNamespaced ? namespace : "" });
  return refusalOf(grants, need)?.message;
}

const userInfo = (caller: Caller | undefined) =>
  caller === undefined
    ? { username: anonymous, groups: ["system:unauthenticated"] }
    : {
        username: caller.name,
        groups: [
          "system:authenticated",
          ...caller.grants.map(
            ({ role, namespace }) => `limpid:${role}${namespace === wholeMesh ? "" : `:${namespace}`}`,
          ),
        ],
      };
