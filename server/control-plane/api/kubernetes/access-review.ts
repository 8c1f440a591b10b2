import type { ApiRouter, Handler } from "../router.ts";

/**
 * What clients ask before they do something (`kubectl auth can-i`, `kubectl auth whoami`, dashboards such as k9s). Who comes over loopback and says
 * nothing of themselves may do everything; who has a token, what its roles say.
 * https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */
export function addAccessReviews(router: ApiRouter): void {
  const answer =
    (apiVersion: string, kind: string, status: object): Handler =>
    async () => ({ status: 201, body: { apiVersion, kind, metadata: {}, spec: {}, status } });
  const authorization = "authorization.k8s.io/v1";
  const reason = "Limpid's config API has no users: who reaches it may do everything";
  router.add(
    "POST",
    `/apis/${authorization}/selfsubjectaccessreviews`,
    answer(authorization, "SelfSubjectAccessReview", { allowed: true, reason }),
  );
  const everything = ["*"];
  router.add(
    "POST",
    `/apis/${authorization}/selfsubjectrulesreviews`,
    answer(authorization, "SelfSubjectRulesReview", {
      resourceRules: [{ verbs: everything, apiGroups: everything, resources: everything }],
      nonResourceRules: [{ verbs: everything, nonResourceURLs: everything }],
      incomplete: false,
    }),
  );
  const authentication = "authentication.k8s.io/v1";
  router.add(
    "POST",
    `/apis/${authentication}/selfsubjectreviews`,
    answer(authentication, "SelfSubjectReview", {
      userInfo: { username: "system:anonymous", groups: ["system:unauthenticated"] },
    }),
  );
}
