import type { Routing, RuleLayer } from "../../../server/contract/index.ts";
import type { MeshObject } from "../../config/document/read-object.ts";
import { valueAt, type YamlEdit } from "../../config/document/yaml-edit.ts";
import { readDestinations } from "./rule/destination-weights.ts";
import { addRule, httpPath, listPath, rulesOf } from "./rule-list.ts";

export const templateNames = [
  "canary",
  "preview",
  "timeout",
  "breaker",
  "mirror",
  "egress",
  "gateway",
  "limit",
] as const;
export type TemplateName = (typeof templateNames)[number];

/** What says nothing to connections: there are no requests in them to tell apart, repeat, copy or count. */
const ofRequests: readonly TemplateName[] = ["preview", "timeout", "mirror", "gateway", "limit"];

export const templatesFor = (layer: RuleLayer): readonly TemplateName[] =>
  layer === "http" ? templateNames : templateNames.filter((name) => !ofRequests.includes(name));

/** The service that a template is for. */
export interface TemplateService {
  /** As its objects are called. */
  name: string;
  namespace: string;
  /** As a rule of its namespace writes it. */
  host: string;
  /** The version that has the traffic, and the one that shall get some. */
  from: string;
  to: string;
  port: number;
  layer: RuleLayer;
}

/** The version that has most of what no rule picks out, and the newest of the others: whoever has all the traffic is nobody's canary. */
export function versionsOf(
  /** The VirtualService as it is drafted; undefined: there is none. */
  object: MeshObject | undefined,
  { versions, layer = "http" }: Pick<Routing, "versions" | "layer">,
): { from: string; to: string } {
  const rules = object ? rulesOf(object, layer).filter(({ disabled }) => !disabled) : [];
  const route = readDestinations(object && rules[restOf(object, layer)]?.rule.route);
  const [heaviest] = route.filter(({ subset }) => subset).toSorted((a, b) => (b.weight ?? 0) - (a.weight ?? 0));
  const names = versions.map(({ version }) => version);
  const known = versions.find(({ subset }) => subset === heaviest?.subset)?.version;
  const from = known ?? heaviest?.subset ?? names[0] ?? "v1";
  return { from, to: names.findLast((name) => name !== from) ?? "v2" };
}

export interface TemplateChange {
  /** Edits of the VirtualService and the DestinationRule that are in force, or of new ones. */
  virtualService?: (object: MeshObject) => YamlEdit[];
  destinationRule?: (object: MeshObject) => YamlEdit[];
  /** Objects that are new in any case, as YAML. */
  created?: readonly { kind: string; namespace: string; name: string; yaml: string }[];
}

/** What a template does. */
export function templateChange(name: TemplateName, service: TemplateService): TemplateChange {
  const { host, from, to, layer } = service;
  const subset = (version: string) => ({ host, subset: version });
  switch (name) {
    case "canary":
      return {
        destinationRule: subsetsFor([from, to]),
        virtualService: (object) => [
          {
            op: "set",
            path: [...listPath(layer), restOf(object, layer), "route"],
            value: [
              { destination: subset(from), weight: 90 },
              { destination: subset(to), weight: 10 },
            ],
          },
        ],
      };
    case "preview":
      return {
        destinationRule: subsetsFor([to]),
        virtualService: (object) =>
          addRule(rulesOf(object), 0, {
            name: `preview-${to}`,
            match: [{ headers: { "x-preview": { exact: to } } }],
            route: [{ destination: subset(to) }],
          }),
      };
    case "timeout":
      return {
        virtualService: (object) => [
          { op: "set", path: [...httpPath, restOf(object), "timeout"], value: "2s" },
          {
            op: "set",
            path: [...httpPath, restOf(object), "retries"],
            value: { attempts: 2, perTryTimeout: "500ms", retryOn: "5xx,reset,connect-failure" },
          },
        ],
      };
    case "mirror":
      return {
        destinationRule: subsetsFor([to]),
        virtualService: (object) => [
          {
            op: "set",
            path: [...httpPath, restOf(object), "mirrors"],
            value: [{ destination: subset(to), percentage: { value: 10 } }],
          },
        ],
      };
    case "breaker":
      return { destinationRule: () => breakerEdits };
    default:
      return { created: createdBy(name, service) };
  }
}

const breakerEdits: YamlEdit[] = [
  {
    op: "set",
    path: ["spec", "trafficPolicy", "connectionPool"],
    value: { tcp: { maxConnections: 100 }, http: { http1MaxPendingRequests: 100, http2MaxRequests: 100 } },
  },
  {
    op: "set",
    path: ["spec", "trafficPolicy", "outlierDetection"],
    value: { consecutive5xxErrors: 5, interval: "10s", baseEjectionTime: "30s", maxEjectionPercent: 50 },
  },
];

/** The rule that takes everything else: the first without a match, else the last. */
function restOf(object: MeshObject, layer: RuleLayer = "http"): number {
  const rules = rulesOf(object, layer).filter(({ disabled }) => !disabled);
  const rest = rules.findIndex(({ rule }) => !Array.isArray(rule.match) || rule.match.length === 0);
  return rest >= 0 ? rest : Math.max(0, rules.length - 1);
}

/** Those that the rule lacks. */
const subsetsFor =
  (versions: readonly string[]) =>
  (object: MeshObject): YamlEdit[] => {
    const found = valueAt(object, ["spec", "subsets"]);
    const known = (Array.isArray(found) ? found : []).map((one) => valueAt(one, ["name"]));
    return versions
      .filter((version) => !known.includes(version))
      .map((version, i) => ({
        op: "insert",
        path: ["spec", "subsets"],
        index: known.length + i,
        value: { name: version, labels: { version } },
      }));
  };

const head = (apiVersion: string, kind: string, name: string, namespace: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\nspec:\n`;
const networking = "networking.istio.io/v1";

export const newVirtualService = ({ name, namespace, host, layer }: TemplateService): string =>
  `${head(networking, "VirtualService", name, namespace)}  hosts:\n    - ${host}\n  ${layer}:\n    - route:\n        - destination:\n            host: ${host}\n`;

export const newDestinationRule = ({ name, namespace, host }: TemplateService): string =>
  `${head(networking, "DestinationRule", name, namespace)}  host: ${host}\n`;

function createdBy(
  name: "egress" | "gateway" | "limit",
  { name: service, namespace, host, port }: TemplateService,
): NonNullable<TemplateChange["created"]> {
  const object = (kind: string, called: string, spec: string, apiVersion = networking) => ({
    kind,
    namespace,
    name: called,
    yaml: head(apiVersion, kind, called, namespace) + spec,
  });
  switch (name) {
    case "egress":
      return [object("ServiceEntry", "example-api", egress)];
    case "gateway":
      return [
        object("Gateway", `${service}-gateway`, gateway(service)),
        object("VirtualService", `${service}-entrance`, entrance(service, host, port)),
      ];
    case "limit":
      return [
        object(
          "RateLimit",
          service,
          `  host: ${host}\n  local:\n    requests: 100\n    per: 1s\n  global:\n    requests: 1000\n    unit: minute\n`,
          "limpid.dev/v1alpha1",
        ),
      ];
  }
}

const egress = `  hosts:
    - api.example.com
  location: MESH_EXTERNAL
  resolution: DNS
  ports:
    - number: 443
      name: https
      protocol: HTTPS
`;

const gateway = (service: string): string => `  selector:
    istio: ingressgateway
  servers:
    - port:
        number: 8080
        name: http
        protocol: HTTP
      hosts:
        - ${service}.example.com
`;

const entrance = (service: string, host: string, port: number): string => `  hosts:
    - ${service}.example.com
  gateways:
    - ${service}-gateway
  http:
    - route:
        - destination:
            host: ${host}
            port:
              number: ${port}
`;
