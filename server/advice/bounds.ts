import { create } from "@bufbuild/protobuf";
import {
  type Permission,
  PermissionSchema,
  type Principal,
  PrincipalSchema,
  type RBAC,
  RBAC_Action,
  RBACSchema,
} from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { compileRbac } from "../sidecar/rbac/engine.ts";
import type { RbacSubject } from "../sidecar/rbac/subject.ts";

/** What is not known of one call, beside what is known of none. */
export interface Unknown {
  readonly identity: boolean;
  readonly port: boolean;
  /** Method, path and host. */
  readonly request: boolean;
}

/** What some rules match: the policy's name, "" for none, undefined where that depends on what was not recorded. */
export type BoundedMatch = (subject: RbacSubject) => string | undefined;

/**
 * Rules of which a part can't be judged, by the proxy's own engine: once with each such part as it would let most match, once as it would let least. Where both
 * agree, the part does not matter. The part's sense turns with each `not` above it, so that these are bounds.
 */
export function compileBounds(rules: RBAC, unknown: Unknown, missing: Set<string>): BoundedMatch {
  const bounded = (sense: boolean) =>
    compileRbac(
      create(RBACSchema, {
        action: RBAC_Action.ALLOW,
        policies: Object.fromEntries(
          Object.entries(rules.policies).map(([name, policy]) => [
            name,
            {
              ...policy,
              permissions: policy.permissions.map((it) => permission(it, sense, unknown, missing)),
              principals: policy.principals.map((it) => principal(it, sense, unknown, missing)),
            },
          ]),
        ),
      }),
    );
  const [least, most] = [bounded(false), bounded(true)];
  return (subject) => {
    const sure = least(subject);
    if (sure.allowed) return sure.policy;
    return most(subject).allowed ? undefined : "";
  };
}

function principal(tree: Principal, sense: boolean, unknown: Unknown, missing: Set<string>): Principal {
  const { identifier } = tree;
  const inner = (it: Principal, as = sense) => principal(it, as, unknown, missing);
  switch (identifier.case) {
    case "andIds":
    case "orIds":
      return create(PrincipalSchema, {
        identifier: { case: identifier.case, value: { ids: identifier.value.ids.map((it) => inner(it)) } },
      });
    case "notId":
      return create(PrincipalSchema, { identifier: { case: "notId", value: inner(identifier.value, !sense) } });
    case "authenticated":
      return unknown.identity ? open("principal") : tree;
    case "header":
      return !unknown.request && recorded.has(identifier.value.name) ? tree : open(`header ${identifier.value.name}`);
    case "metadata":
    case "sourcedMetadata":
      return open("request.auth");
    case "sourceIp":
    case "directRemoteIp":
      return open("source.ip");
    case "remoteIp":
      return open("remote.ip");
    default:
      return tree;
  }
  function open(what: string): Principal {
    missing.add(what);
    const any = create(PrincipalSchema, { identifier: { case: "any", value: true } });
    return sense ? any : create(PrincipalSchema, { identifier: { case: "notId", value: any } });
  }
}

/** Lines have them. */
const recorded = new Set([":authority", ":method", ":path", "host"]);

function permission(tree: Permission, sense: boolean, unknown: Unknown, missing: Set<string>): Permission {
  const { rule } = tree;
  const inner = (it: Permission, as = sense) => permission(it, as, unknown, missing);
  switch (rule.case) {
    case "andRules":
    case "orRules":
      return create(PermissionSchema, {
        rule: { case: rule.case, value: { rules: rule.value.rules.map((it) => inner(it)) } },
      });
    case "notRule":
      return create(PermissionSchema, { rule: { case: "notRule", value: inner(rule.value, !sense) } });
    case "header":
      return !unknown.request && recorded.has(rule.value.name) ? tree : open(`header ${rule.value.name}`);
    case "urlPath":
    case "uriTemplate":
      return unknown.request ? open("request") : tree;
    case "metadata":
    case "sourcedMetadata":
      return open("metadata");
    case "requestedServerName":
      return open("connection.sni");
    case "destinationPort":
    case "destinationPortRange":
      return unknown.port ? open("destination.port") : tree;
    default:
      return tree;
  }
  function open(what: string): Permission {
    missing.add(what);
    const any = create(PermissionSchema, { rule: { case: "any", value: true } });
    return sense ? any : create(PermissionSchema, { rule: { case: "notRule", value: any } });
  }
}
