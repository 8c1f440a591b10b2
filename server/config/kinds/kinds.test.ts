import { describe, expect, test } from "vitest";
import type { ConfigObject } from "../object.ts";
import { kindNamed, kindOf, kinds, parseObject } from "./index.ts";
import { withoutZeroValues } from "./zero-values.ts";

type Spec = Record<string, unknown>;
const object = (
  kind: string,
  spec: unknown,
  metadata: Spec = { name: "reviews" },
  apiVersion = "networking.istio.io/v1",
) => ({
  apiVersion: kind === "Service" || kind === "Namespace" ? "v1" : apiVersion,
  kind,
  metadata,
  spec,
});
const errorsOf = (input: unknown): string[] => {
  const result = parseObject(input);
  return result.ok ? [] : result.errors.map((error) => `${error.path}: ${error.message}`);
};
/** Errors that pages in other languages have no word for. */
const wordless = (input: unknown): string[] => {
  const result = parseObject(input);
  return result.ok ? [] : result.errors.filter(({ reason }) => reason === undefined).map(({ message }) => message);
};
const accepted = (input: unknown): ConfigObject => {
  const result = parseObject(input);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
};

const route = [{ destination: { host: "reviews", subset: "v1" } }];
const vs = (rule: Spec, more: Spec = {}) =>
  object("VirtualService", { hosts: ["reviews"], http: [{ route, ...rule }], ...more });
const match = (condition: Spec) => vs({ match: [condition] });
const dr = (trafficPolicy: Spec, more: Spec = {}) =>
  object("DestinationRule", { host: "reviews", trafficPolicy, ...more });
const httpPort = { number: 80, name: "http", protocol: "HTTP" };
const gw = (server: Spec) =>
  object("Gateway", { selector: { istio: "ingressgateway" }, servers: [{ port: httpPort, hosts: ["*"], ...server }] });
const se = (spec: Spec) =>
  object("ServiceEntry", { hosts: ["api.example.com"], ports: [httpPort], resolution: "DNS", ...spec });
const we = (spec: Spec) => object("WorkloadEntry", { address: "127.0.1.3", ...spec });
const svc = (spec: Spec) => object("Service", { ports: [{ port: 9080, name: "http" }], ...spec });

describe("accepts, and keeps as written", () => {
  test.each<[string, unknown]>([
    [
      "weights",
      vs({
        route: [
          { ...route[0], weight: 80 },
          { destination: { host: "reviews", subset: "v3" }, weight: 20 },
        ],
      }),
    ],
    [
      "weights of any sum",
      vs({
        route: [
          { ...route[0], weight: 1 },
          { destination: { host: "reviews" }, weight: 7 },
        ],
      }),
    ],
    ["one destination of weight 0", vs({ route: [{ ...route[0], weight: 0 }] })],
    [
      "matches",
      match({
        name: "m",
        uri: { prefix: "" },
        method: { exact: "GET" },
        authority: { regex: "a.*" },
        scheme: { exact: "http" },
        ignoreUriCase: true,
      }),
    ],
    [
      "header presence",
      match({
        headers: { "end-user": {}, ":path": { prefix: "/" } },
        withoutHeaders: { cookie: { regex: "*" } },
        queryParams: { q: {} },
      }),
    ],
    [
      "callers",
      match({
        sourceLabels: { app: "productpage" },
        sourceNamespace: "prod",
        port: 9080,
        gateways: ["mesh", "prod/gw"],
      }),
    ],
    ["redirect", vs({ route: undefined, redirect: { uri: "/x", authority: "y", redirectCode: 308 } })],
    [
      "redirect of prefixes",
      vs({ route: undefined, match: [{ uri: { prefix: "/a" } }], redirect: { prefixRewrite: "/b" } }),
    ],
    ["direct response", vs({ route: undefined, directResponse: { status: 503, body: { string: "closed" } } })],
    ["rewrite", vs({ rewrite: { uriRegexRewrite: { match: "^/a/(.*)", rewrite: "/\\1" }, authority: "x" } })],
    [
      "timeouts and retries",
      vs({
        timeout: "1h2m3s",
        retries: {
          attempts: 3,
          perTryTimeout: "500ms",
          retryOn: "5xx,connect-failure,503",
          retryRemoteLocalities: true,
        },
      }),
    ],
    ["retries switched off", vs({ retries: { attempts: 0 } })],
    [
      "fault",
      vs({
        fault: {
          delay: { fixedDelay: "7s", percentage: { value: 0.1 } },
          abort: { grpcStatus: "UNAVAILABLE", percentage: { value: 100 } },
        },
      }),
    ],
    [
      "a rule after one that takes everything",
      object("VirtualService", { hosts: ["a"], http: [{ route }, { route }] }),
    ],
    ["mirrors", vs({ mirrors: [{ destination: { host: "m" }, percentage: { value: 5 } }] })],
    [
      "cors",
      vs({
        corsPolicy: {
          allowOrigins: [{ exact: "https://a" }],
          allowMethods: ["GET", "*"],
          allowHeaders: ["x-a"],
          maxAge: "24h",
          allowCredentials: true,
        },
      }),
    ],
    [
      "headers",
      vs({
        headers: {
          request: { set: { host: "x", "x-a": "100%% of %REQ(x)%" }, remove: ["y"] },
          response: { add: { a: "b" } },
        },
      }),
    ],
    ["hosts", vs({}, { hosts: ["*.example.com", "10.0.0.1", "reviews.default.svc.cluster.local"], exportTo: ["."] })],
    ["any host at a gateway", vs({}, { hosts: ["*"], gateways: ["bookinfo-gateway"] })],
    [
      "subsets",
      dr(
        { loadBalancer: { simple: "LEAST_CONN" } },
        { subsets: [{ name: "v2-mysql", labels: { version: "v2-mysql" } }, { name: "v1" }] },
      ),
    ],
    [
      "pools",
      dr({
        connectionPool: {
          tcp: { maxConnections: 1, connectTimeout: "30ms", idleTimeout: "0s", tcpKeepalive: { probes: 3 } },
          http: { http2MaxRequests: 1000, maxRequestsPerConnection: 10 },
        },
      }),
    ],
    [
      "outliers",
      dr({
        outlierDetection: { consecutive5xxErrors: 7, interval: "5m", baseEjectionTime: "15m", maxEjectionPercent: 100 },
      }),
    ],
    [
      "policies of a port",
      dr({
        portLevelSettings: [{ port: { number: 80 }, loadBalancer: { simple: "RANDOM" } }],
        tls: { mode: "DISABLE" },
      }),
    ],
    [
      "a gateway",
      gw({ hosts: ["prod/*.example.com", "./x.example.com", "*"], tls: { httpsRedirect: true }, bind: "0.0.0.0" }),
    ],
    [
      "TCP and TLS rules",
      object("VirtualService", {
        hosts: ["mysqldb", "*.example.com"],
        tcp: [
          {
            match: [{ port: 3306, sourceLabels: { app: "ratings" }, destinationSubnets: ["10.0.0.0/8"] }],
            route: [
              { destination: { host: "mysqldb", subset: "v1" }, weight: 80 },
              { destination: { host: "mysqldb", subset: "v2" }, weight: 20 },
            ],
          },
          { route },
        ],
        tls: [{ match: [{ port: 443, sniHosts: ["a.example.com", "*.b.example.com"], gateways: ["mesh"] }], route }],
      }),
    ],
    [
      "TLS that the proxy begins",
      dr({ tls: { mode: "SIMPLE", sni: "a.example", subjectAltNames: ["a.example"], caCertificates: "/etc/ca.pem" } }),
    ],
    ["mutual TLS", dr({ tls: { mode: "ISTIO_MUTUAL", sni: "a.example", subjectAltNames: ["spiffe://a/ns/b/sa/c"] } })],
    ["mutual TLS with files", dr({ tls: { mode: "MUTUAL", clientCertificate: "/c.pem", privateKey: "/k.pem" } })],
    [
      "a gateway that passes TLS and TCP through",
      object("Gateway", {
        servers: [
          { port: { number: 443, name: "tls", protocol: "TLS" }, hosts: ["a.example"], tls: { mode: "PASSTHROUGH" } },
          { port: { number: 31400, name: "tcp", protocol: "TCP" }, hosts: ["*"] },
        ],
      }),
    ],
    ["an external service", se({ location: "MESH_EXTERNAL", addresses: ["10.1.1.1"], exportTo: ["~"] })],
    [
      "endpoints",
      se({
        resolution: "STATIC",
        addresses: ["10.0.0.0/8"],
        endpoints: [{ address: "10.0.0.1", ports: { http: 8080 }, labels: { version: "v1" } }],
      }),
    ],
    [
      "a workload",
      we({
        ports: { http: 9080 },
        labels: { app: "reviews", version: "v1" },
        locality: "a/b/c",
        weight: 2,
        serviceAccount: "r",
        network: "n",
      }),
    ],
    [
      "a service",
      svc({
        selector: { app: "reviews" },
        type: "ClusterIP",
        clusterIP: "None",
        ports: [
          { port: 80, name: "a", targetPort: "http-web" },
          { port: 81, name: "b", targetPort: 8081, protocol: "TCP", appProtocol: "http" },
        ],
      }),
    ],
    ["a namespace", { apiVersion: "v1", kind: "Namespace", metadata: { name: "prod" }, spec: {} }],
  ])("%s", (_name, input) => {
    const plain = JSON.parse(JSON.stringify(input)) as ConfigObject;
    expect(JSON.stringify(accepted(input).spec)).toBe(JSON.stringify(plain.spec));
  });
});

describe("refuses, by path", () => {
  test.each<[string, unknown, string[]]>([
    ["unknown fields", vs({ weigth: 1 }), ["spec.http[0].weigth: unknown field"]],
    ["a field meant otherwise", vs({ rout: [] }), ["spec.http[0].rout: unknown field; did you mean route?"]],
    [
      "fields of Istio that Limpid lacks",
      vs({ delegate: { name: "x" } }, { tls: [], tcp: [] }),
      [
        "spec.http[0].delegate: not supported yet by Limpid; write the delegate's rules here",
        "spec.tls: needs at least one entry",
        "spec.tcp: needs at least one entry",
      ],
    ],
    [
      "TLS rules",
      object("VirtualService", {
        hosts: ["a.example.com", "*.b.example.com"],
        tls: [
          { route: [] },
          { match: [], route },
          {
            match: [
              { sniHosts: [], port: 0 },
              {
                sniHosts: ["c.example.com", "x.b.example.com", "*.example.com", "1.2.3.400"],
                destinationSubnets: ["x"],
              },
            ],
            route: [{ ...route[0], weight: 0 }, { ...route[0] }, { ...route[0], headers: {} }],
          },
        ],
      }),
      [
        "spec.tls[0].match: is required",
        "spec.tls[0].route: needs at least one entry",
        "spec.tls[1].match: needs at least one entry",
        "spec.tls[2].match[0].sniHosts: needs at least one entry",
        "spec.tls[2].match[1].sniHosts[3]: must be a domain name",
        "spec.tls[2].match[1].destinationSubnets[0]: must be an IP address or a CIDR block",
        "spec.tls[2].route[2].headers: unknown field",
        "spec.tls[2].route: the weights of several destinations must not all be 0 or unset",
        "spec.tls[2].match[1].sniHosts[0]: c.example.com is not one of the hosts, nor narrower than one",
        "spec.tls[2].match[1].sniHosts[2]: *.example.com is not one of the hosts",
      ],
    ],
    [
      "TCP rules",
      object("VirtualService", {
        hosts: ["mysqldb"],
        tcp: [
          { match: [{ sourceSubnet: "10.0.0.0/8", sniHosts: ["a"], gateways: ["a b"] }], route: [{ weight: 1 }] },
          {},
        ],
      }),
      [
        "spec.tcp[0].match[0].gateways[0]: must be a domain name",
        "spec.tcp[0].match[0].sourceSubnet: not supported yet by Limpid; use sourceLabels, sourceNamespace",
        "spec.tcp[0].match[0].sniHosts: unknown field",
        "spec.tcp[0].route[0].destination: is required",
        "spec.tcp[1].route: is required",
      ],
    ],
    ["null", vs({ timeout: null }), ['spec.http[0].timeout: must be a duration as a string, such as "5s"']],
    [
      "weights",
      vs({ route: [{ ...route[0], weight: "80" }, { ...route[0], weight: -1 }, { weight: 1.5 }] }),
      [
        'spec.http[0].route[0].weight: must be a number, not "80"',
        "spec.http[0].route[1].weight: must be at least 0, not -1",
        "spec.http[0].route[2].destination: is required",
        "spec.http[0].route[2].weight: must be a whole number, not 1.5",
      ],
    ],
    [
      "weights of nothing",
      vs({ route: [route[0], route[0]] }),
      ["spec.http[0].route: the weights of several destinations must not all be 0 or unset"],
    ],
    [
      "weights that no Envoy can add up",
      vs({ route: [2_147_483_647, 2_147_483_647, 2].map((weight) => ({ ...route[0], weight })) }),
      ["spec.http[0].route: the weights together must be at most 4294967295, not 4294967296"],
    ],
    [
      "hosts",
      vs({}, { hosts: ["*", "a..b", "x_y", "1.2.3.400"] }),
      [
        'spec.hosts[1]: must be a domain name such as "reviews" or "reviews.default.svc.cluster.local": label "" of "a..b" is not valid',
        "spec.hosts[3]: must be a domain name",
        "spec.hosts[1]: a..b is covered by hosts[0], *",
        "spec.hosts[2]: x_y is covered",
        "spec.hosts[3]: 1.2.3.400 is covered",
        "spec.hosts[2]: must be a domain name",
        'spec.hosts[0]: "*" needs gateways',
      ],
    ],
    [
      "hosts twice",
      vs({}, { hosts: ["a.example.com", "*.example.com", "b", "b"] }),
      [
        "spec.hosts[0]: a.example.com is covered by hosts[1], *.example.com",
        "spec.hosts[3]: b is covered by hosts[2], b",
      ],
    ],
    ["no rules", object("VirtualService", { hosts: ["a"] }), ["spec: needs at least one of http, tls, tcp"]],
    [
      "matchers",
      match({ uri: { exact: "/", prefix: "/" }, method: {}, authority: { prefix: "" }, scheme: { regex: "" } }),
      [
        "spec.http[0].match[0].uri: must have only one of exact, prefix, regex; it has exact, prefix",
        "spec.http[0].match[0].scheme.regex: must not be empty",
        "spec.http[0].match[0].authority.prefix: must not be empty",
      ],
    ],
    [
      "regular expressions",
      match({ uri: { regex: "(?=x)" }, headers: { a: { regex: "(a)\\1" } } }),
      [
        "spec.http[0].match[0].uri.regex: must be an RE2 regular expression",
        "spec.http[0].match[0].headers.a.regex: must be an RE2 regular expression",
      ],
    ],
    [
      "long regular expressions",
      match({ uri: { regex: "a".repeat(1_025) } }),
      ["spec.http[0].match[0].uri.regex: must have at most 1024 characters"],
    ],
    [
      "header names",
      match({
        headers: { "a b": {}, "@request.auth.claims.sub": {}, "@request.auth.claims[a][]": {}, "@request.x": {} },
      }),
      [
        'spec.http[0].match[0].headers["a b"]: "a b" is not a valid header name',
        'spec.http[0].match[0].headers["@request.auth.claims[a][]"]: must be "@request.auth.claims.<name>"',
        'spec.http[0].match[0].headers["@request.x"]: must be "@request.auth.claims.<name>"',
      ],
    ],
    [
      "a header that is null",
      match({ headers: { a: null } }),
      ["spec.http[0].match[0].headers.a: must be an object, not null"],
    ],
    [
      "durations",
      vs({ timeout: "5 seconds", retries: { attempts: 1, perTryTimeout: "0.5ms" } }),
      [
        'spec.http[0].timeout: must be a duration such as "500ms", "7s" or "1h2m3s", not "5 seconds"',
        "spec.http[0].retries.perTryTimeout: must be at least 1ms, not 0.5ms",
      ],
    ],
    [
      "retry conditions",
      vs({ retries: { attempts: 1, retryOn: "5xx, reset" } }),
      ['spec.http[0].retries.retryOn: " reset" is no retry condition'],
    ],
    [
      "retries without attempts",
      vs({ retries: { retryOn: "5xx" } }),
      ["spec.http[0].retries.retryOn: needs attempts of at least 1"],
    ],
    [
      "faults",
      vs({ fault: { delay: { percentage: { value: 101 } }, abort: { httpStatus: 600, http2Error: "x" } } }),
      [
        "spec.http[0].fault.delay.percentage.value: must be at most 100, not 101",
        "spec.http[0].fault.abort.httpStatus: must be at most 599, not 600",
        "spec.http[0].fault.abort.http2Error: not supported yet by Limpid; use httpStatus, grpcStatus",
      ],
    ],
    ["empty faults", vs({ fault: {} }), ["spec.http[0].fault: needs at least one of delay, abort"]],
    [
      "two ways at once",
      vs({ redirect: { uri: "/" }, rewrite: { uri: "/" }, fault: { abort: { httpStatus: 500 } } }),
      [
        "spec.http[0].redirect: a rule can't have both this and route",
        "spec.http[0].fault: a rule can't have both this and redirect",
        "spec.http[0].rewrite: a rule can't have both this and redirect",
      ],
    ],
    ["no way at all", vs({ route: [] }), ["spec.http[0]: must have one of route, redirect, directResponse"]],
    [
      "two mirrors' ways",
      vs({ mirror: { host: "a" }, mirrors: [{ destination: { host: "b" } }] }),
      ["spec.http[0].mirrors: a rule can't have both this and mirror"],
    ],
    [
      "changed headers",
      vs({
        headers: { request: { set: { ":path": "x", a: "1%" }, remove: ["Host"] }, response: { set: { host: "x" } } },
      }),
      [
        'spec.http[0].headers.request.set[":path"]: pseudo-header :path can\'t be changed here',
        "spec.http[0].headers.request.set.a: a literal '%' is written \"%%\"",
        "spec.http[0].headers.request.remove[0]: the Host header can't be changed here",
        "spec.http[0].headers.response.set.host: the Host header can't be changed here",
      ],
    ],
    [
      "the authority twice",
      vs({ rewrite: { authority: "x" }, headers: { request: { set: { Host: "y" } } } }),
      ["spec.http[0]: sets the authority more than once"],
    ],
    [
      "export",
      vs({}, { exportTo: ["*", "a", "a", "~"] }),
      [
        'spec.exportTo[3]: must be ".", "*" or a namespace, not "~"',
        "spec.exportTo[2]: is there twice",
        'spec.exportTo[0]: "*" must stand alone',
        'spec.exportTo[3]: "~" must stand alone',
      ],
    ],
    [
      "mutual TLS",
      dr({
        tls: {
          mode: "ISTIO_MUTUAL",
          sni: "*.x",
          clientCertificate: "c.pem",
          caCertificates: "/c.pem",
          insecureSkipVerify: true,
        },
      }),
      [
        "spec.trafficPolicy.tls.sni: must be one name, without '*'",
        "spec.trafficPolicy.tls.clientCertificate: has no effect without mode: MUTUAL",
        "spec.trafficPolicy.tls.caCertificates: has no effect with mode: ISTIO_MUTUAL",
        "spec.trafficPolicy.tls.insecureSkipVerify: has no effect with mode: ISTIO_MUTUAL",
      ],
    ],
    [
      "a certificate of one's own",
      dr(
        { tls: { mode: "MUTUAL", caCertificates: "ca.pem", credentialName: "x" } },
        {
          subsets: [
            { name: "a", trafficPolicy: { tls: { mode: "TLS" } } },
            { name: "b", trafficPolicy: { tls: { mode: "MUTUAL" } } },
            { name: "c", trafficPolicy: { tls: { mode: "ISTIO_MUTUAL", credentialName: "a/b" } } },
          ],
        },
      ),
      [
        "spec.trafficPolicy.tls.caCertificates: must not be beside credentialName",
        "spec.subsets[0].trafficPolicy.tls.mode: must be one of DISABLE, SIMPLE, MUTUAL, ISTIO_MUTUAL",
        "spec.subsets[1].trafficPolicy.tls.clientCertificate: is required for mode: MUTUAL, or credentialName",
        "spec.subsets[1].trafficPolicy.tls.privateKey: is required for mode: MUTUAL, or credentialName",
        "spec.subsets[2].trafficPolicy.tls.credentialName: must be the name of a Secret",
        "spec.subsets[2].trafficPolicy.tls.credentialName: has no effect with mode: ISTIO_MUTUAL",
      ],
    ],
    [
      "TLS without a check, and with one",
      dr({ tls: { mode: "SIMPLE", insecureSkipVerify: true, caCertificates: "ca.pem", subjectAltNames: ["a"] } }),
      [
        "spec.trafficPolicy.tls.caCertificates: has no effect with insecureSkipVerify: true",
        "spec.trafficPolicy.tls.subjectAltNames: has no effect with insecureSkipVerify: true",
      ],
    ],
    [
      "peers by mode and port",
      {
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "a" },
        spec: { mtls: { mode: "MUTUAL" }, portLevelMtls: { http: { mode: "STRICT" } } },
      },
      [
        "spec.mtls.mode: must be one of UNSET, DISABLE, PERMISSIVE, STRICT",
        'spec.portLevelMtls.http: must be a port number, not "http"',
        "spec.portLevelMtls: needs a selector with matchLabels",
      ],
    ],
    [
      "a Sidecar's hosts and ports",
      {
        apiVersion: "networking.istio.io/v1",
        kind: "Sidecar",
        metadata: { name: "a" },
        spec: {
          egress: [{ hosts: ["reviews", "A_B/*", "./a/b"], port: { number: 1 } }, { hosts: [] }],
          ingress: [{ port: { number: 1, protocol: "HTP", name: "a" }, defaultEndpoint: "unix:///a" }],
        },
      },
      [
        'spec.egress[0].hosts[0]: must be of a form such as <namespace>/<host>, "./*", not "reviews"',
        'spec.egress[0].hosts[1]: must be ".", "*", "~" or a namespace, not "A_B"',
        "spec.egress[0].hosts[2]: must be of a form such as <namespace>/<host>",
        "spec.egress[0].port: not supported yet by Limpid; a call names its service",
        "spec.egress[1].hosts: needs at least one entry",
        "spec.ingress[0].port.protocol: must be one of",
        "spec.ingress[0].defaultEndpoint: must be of a form such as 127.0.0.1:<port>",
      ],
    ],
    [
      "who may do what",
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "a" },
        spec: {
          action: "CUSTOM",
          rules: [
            {
              from: [
                { source: {} },
                { source: { ipBlocks: ["10.0.0.0/33"], requestPrincipals: ["*"], principals: ["a*b"] } },
              ],
              to: [
                { operation: { ports: ["http"], paths: ["/{*}", "/{**}/x/{*}", "/a{*}", "{*}", "*/a*"], methods: [] } },
              ],
              when: [
                { key: "source.ports", values: ["1"] },
                { key: "source.ip", values: ["x"] },
                { key: "request.auth.claims[a]" },
              ],
            },
          ],
        },
      },
      [
        "spec.rules[0].from[0].source: must have at least one field",
        "spec.rules[0].from[1].source.principals[0]: may have a * at one end only",
        "spec.rules[0].from[1].source.ipBlocks[0]: must be an IP address or a CIDR block",
        'spec.rules[0].to[0].operation.ports[0]: must be a port number, not "http"',
        "spec.rules[0].to[0].operation.paths[1]: may have nothing but plain segments behind {**}",
        'spec.rules[0].to[0].operation.paths[2]: must have whole segments that are {*}, {**} or plain text; "a{*}" is none',
        "spec.rules[0].to[0].operation.paths[3]: must begin with a slash",
        "spec.rules[0].to[0].operation.paths[4]: may have a * at one end only",
        "spec.rules[0].to[0].operation.methods: needs at least one entry",
        "spec.rules[0].when[0].key: must be one of source.ip",
        'spec.rules[0].when[1].values[0]: must be an IP address or a CIDR block such as "10.0.0.0/8", not "x"',
        "spec.rules[0].when[2]: must have one of values, notValues",
        "spec.provider: is required for action: CUSTOM",
        "spec.rules[0].from[1].source.principals: principals can't be asked for with action CUSTOM",
        "spec.rules[0].from[1].source.requestPrincipals: requestPrincipals can't be asked for with action CUSTOM",
        "spec.rules[0].when[2].key: request.auth.claims[a] can't be asked for with action CUSTOM",
      ],
    ],
    [
      "what a policy is for, and on trial",
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "a", annotations: { "istio.io/dry-run": "yes" } },
        spec: {
          selector: { matchLabels: { app: "a" } },
          targetRefs: [
            { kind: "GatewayClass", name: "x" },
            { kind: "Gateway", name: "x" },
            { kind: "Service", name: "x", namespace: "y" },
            { kind: "Pod", name: "" },
          ],
          provider: { name: "x" },
          rules: [{ from: [{ source: { serviceAccounts: ["a/*"], namespaces: ["b"], trustDomains: ["a/b"] } }] }],
        },
      },
      [
        "spec.targetRefs[0].kind: Limpid has no waypoint proxies for a GatewayClass",
        'spec.targetRefs[1].group: must be "gateway.networking.k8s.io" for a Gateway, not ""',
        "spec.targetRefs[2].namespace: must not be set",
        'spec.targetRefs[3].kind: must be one of Service, ServiceEntry, Gateway, not "Pod"',
        "spec.targetRefs[3].name: must not be empty",
        "spec.rules[0].from[0].source.serviceAccounts[0]: must be of a form such as <name>, <namespace>/<name>",
        'spec.rules[0].from[0].source.trustDomains[0]: must be a trust domain, without a slash, not "a/b"',
        "spec.rules[0].from[0].source.serviceAccounts: must not be beside namespaces",
        "spec.targetRefs: must not be beside selector",
        "spec.provider: has no effect without action: CUSTOM",
      ],
    ],
    [
      "whether a policy is on trial",
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "a", annotations: { "istio.io/dry-run": "yes" } },
      },
      ['metadata.annotations["istio.io/dry-run"]: must be one of "true", "false", not "yes"'],
    ],
    [
      "whose tokens are good",
      {
        apiVersion: "security.istio.io/v1",
        kind: "RequestAuthentication",
        metadata: { name: "a" },
        spec: {
          jwtRules: [
            {},
            { issuer: "a", jwks: "{" },
            { issuer: "a", jwks: '{"keys":[]}', jwksUri: "ftp://x" },
            { issuer: "a", jwks: '{"keys":[{"kty":"EC","crv":"P-256"},{"kty":"XX"},{}]}' },
            { jwksUri: "https://me:secret@x/" },
            {
              issuer: "a",
              jwksUri: "https://x/",
              audiences: [""],
              fromHeaders: [{ name: "a b" }, { prefix: "x" }],
              fromParams: [""],
              outputPayloadToHeader: ":path",
              outputClaimToHeaders: [{ header: "x" }, { header: "a b", claim: "" }],
              timeout: "soon",
              spaceDelimited: [],
            },
          ],
        },
      },
      [
        "spec.jwtRules[0].issuer: is required without jwksUri",
        "spec.jwtRules[0].jwksUri: is required, or jwks",
        "spec.jwtRules[1].jwks: must be a JSON Web Key Set",
        'spec.jwtRules[2].jwksUri: must be a URL that begins with http:// or https://, not "ftp://x"',
        "spec.jwtRules[2].jwks: has no key",
        "spec.jwtRules[2].jwksUri: must not be beside jwks",
        "spec.jwtRules[3].jwks: keys[0] is no EC key: a part of it is missing or damaged (RFC 7518 §6)",
        'spec.jwtRules[3].jwks: keys[1] has kty "XX"',
        'spec.jwtRules[3].jwks: keys[2] needs "kty"',
        "spec.jwtRules[4].jwksUri: must have no user name or password",
        "spec.jwtRules[5].audiences[0]: must not be empty",
        'spec.jwtRules[5].fromHeaders[0].name: "a b" is not a valid header name',
        "spec.jwtRules[5].fromHeaders[1].name: is required",
        "spec.jwtRules[5].fromParams[0]: must not be empty",
        'spec.jwtRules[5].outputPayloadToHeader: ":path" is not a valid header name',
        "spec.jwtRules[5].outputClaimToHeaders[0].claim: is required",
        'spec.jwtRules[5].outputClaimToHeaders[1].header: "a b" is not a valid header name',
        "spec.jwtRules[5].outputClaimToHeaders[1].claim: must not be empty",
        "spec.jwtRules[5].timeout: must be a duration",
        "spec.jwtRules[5].spaceDelimited: unknown field",
      ],
    ],
    [
      "what proxies of the whole mesh have in common",
      {
        apiVersion: "limpid.dev/v1alpha1",
        kind: "MeshConfig",
        metadata: { name: "other" },
        spec: {
          accessLogEncoding: "JSON",
          accessLogFormat: "%PROTOCOL%",
          defaultConfig: { tracing: { sampling: 101 } },
          pathNormalization: { normalization: "SLASHES" },
          trustDomainAliases: ["old.example", "Old.example", "*", "a/b", "", "old.example"],
          extensionProviders: [
            { name: "A_" },
            {
              name: "b",
              envoyExtAuthzGrpc: { service: "x/y/z", port: 0 },
              envoyExtAuthzHttp: { service: "x", port: 1 },
            },
            {
              name: "b",
              envoyExtAuthzHttp: {
                service: "x",
                port: 1,
                pathPrefix: "x",
                statusOnError: "x",
                includeRequestHeadersInCheck: ["*", "a*b", "a-*"],
                includeRequestBodyInCheck: { maxRequestBytes: 0 },
              },
            },
          ],
        },
      },
      [
        'metadata.name: must be "default"',
        "spec.defaultConfig.tracing.sampling: must be at most 100, not 101",
        "spec.extensionProviders[0].name: must be letters, digits and '-'",
        "spec.extensionProviders[0]: must have one of envoyExtAuthzHttp, envoyExtAuthzGrpc, zipkin",
        "spec.extensionProviders[1].envoyExtAuthzGrpc.service: must be a domain name",
        "spec.extensionProviders[1].envoyExtAuthzGrpc.port: must be at least 1, not 0",
        "spec.extensionProviders[1].envoyExtAuthzGrpc: must not be beside envoyExtAuthzHttp",
        'spec.extensionProviders[2].envoyExtAuthzHttp.statusOnError: must be an HTTP status such as "503", not "x"',
        "spec.extensionProviders[2].envoyExtAuthzHttp.includeRequestBodyInCheck.maxRequestBytes: must be at least 1, not 0",
        "spec.extensionProviders[2].envoyExtAuthzHttp.pathPrefix: must begin with /",
        'spec.extensionProviders[2].envoyExtAuthzHttp.includeRequestHeadersInCheck[0]: "*" alone is not supported',
        "spec.extensionProviders[2].envoyExtAuthzHttp.includeRequestHeadersInCheck[1]: may have a * at one end only",
        "spec.extensionProviders[2].name: b is the name of extensionProviders[1] too",
        "spec.pathNormalization.normalization: must be one of DEFAULT, NONE, BASE",
        "spec.trustDomainAliases[1]: must be lower-case letters, digits, '-' and '.'",
        "spec.trustDomainAliases[2]: must be lower-case letters, digits, '-' and '.'",
        "spec.trustDomainAliases[3]: must be lower-case letters, digits, '-' and '.'",
        "spec.trustDomainAliases[4]: must not be empty",
        "spec.trustDomainAliases[5]: is there twice",
        "spec.accessLogFormat: must be an object in JSON, since accessLogEncoding is JSON",
      ],
    ],
    [
      "balancers",
      dr({ loadBalancer: { simple: "ROUND-ROBIN", consistentHash: { useSourceIp: true } } }),
      [
        "spec.trafficPolicy.loadBalancer.simple: must be one of UNSPECIFIED, LEAST_CONN, LEAST_REQUEST, PASSTHROUGH, RANDOM, ROUND_ROBIN; did you mean ROUND_ROBIN?",
        "spec.trafficPolicy.loadBalancer: must have only one of simple, consistentHash",
      ],
    ],
    [
      "policies that say nothing, of a host and of a port",
      dr({}, { subsets: [{ name: "a", trafficPolicy: { portLevelSettings: [{ port: { number: 80 } }] } }] }),
      [
        "spec.trafficPolicy: needs at least one of loadBalancer, connectionPool, outlierDetection, tls, portLevelSettings, tunnel, proxyProtocol, retryBudget",
        "spec.subsets[0].trafficPolicy.portLevelSettings[0]: needs at least one of loadBalancer, connectionPool, outlierDetection, tls",
      ],
    ],
    [
      "hashes of nothing, of two things, and in two ways",
      dr(
        { loadBalancer: { consistentHash: { maglev: { tableSize: 100 }, ringHash: { minimumRingSize: 9 } } } },
        {
          subsets: [
            {
              name: "v1",
              trafficPolicy: {
                loadBalancer: { consistentHash: { useSourceIp: true, httpCookie: { name: "", ttl: "1" } } },
              },
            },
          ],
        },
      ),
      [
        "spec.trafficPolicy.loadBalancer.consistentHash: must have one of httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName",
        "spec.trafficPolicy.loadBalancer.consistentHash: must have only one of ringHash, maglev, minimumRingSize; it has ringHash, maglev",
        "spec.trafficPolicy.loadBalancer.consistentHash.maglev.tableSize: must be a prime number, not 100",
        "spec.subsets[0].trafficPolicy.loadBalancer.consistentHash.httpCookie.name: must not be empty",
        "spec.subsets[0].trafficPolicy.loadBalancer.consistentHash.httpCookie.ttl: must be a duration",
        "spec.subsets[0].trafficPolicy.loadBalancer.consistentHash: must have only one of",
      ],
    ],
    [
      "localities",
      dr({
        loadBalancer: {
          localityLbSetting: {
            distribute: [{ from: "eu/*", to: { "eu/a": 60, "eu/b": 30 } }],
            failover: [{ from: "eu", to: "eu" }],
          },
        },
      }),
      [
        "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0].to: must sum to 100, not 90",
        "spec.trafficPolicy.loadBalancer.localityLbSetting.failover[0].to: must be another region than from",
        "spec.trafficPolicy.loadBalancer.localityLbSetting: must have only one of distribute, failover",
      ],
    ],
    ["empty policies", dr({}), ["spec.trafficPolicy: needs at least one of"]],
    [
      "subsets",
      dr(
        { connectionPool: {} },
        { subsets: [{ name: "v1" }, { name: "v1" }, { name: "v.2", labels: { "a b": "c d" } }] },
      ),
      [
        "spec.trafficPolicy.connectionPool: needs at least one of tcp, http",
        "spec.subsets[2].name: must be a DNS label",
        'spec.subsets[2].labels["a b"]: its name must be',
        "spec.subsets[1].name: v1 is the name of subsets[0] too",
      ],
    ],
    [
      "outliers",
      dr({
        outlierDetection: {
          maxEjectionPercent: 101,
          consecutiveLocalOriginFailures: 1,
          outlierDetectionHttpErrorCodes: [429, 99],
        },
      }),
      [
        "spec.trafficPolicy.outlierDetection.maxEjectionPercent: must be at most 100, not 101",
        "spec.trafficPolicy.outlierDetection.outlierDetectionHttpErrorCodes[1]: must be at least 100, not 99",
        "spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures: needs splitExternalLocalOriginErrors: true",
      ],
    ],
    [
      "gateways",
      gw({ port: { ...httpPort, protocol: "HTTPS", number: 0 }, hosts: ["a/b/c"], tls: { mode: "SIMPLE" }, bind: "x" }),
      [
        "spec.servers[0].port.number: must be at least 1, not 0",
        "spec.servers[0].hosts[0]: must be a domain name",
        'spec.servers[0].bind: must be an IP address, not "x"',
        "spec.servers[0].tls.credentialName: is required for mode: SIMPLE, or serverCertificate, privateKey",
      ],
    ],
    [
      "TLS that ends at a gateway",
      object("Gateway", {
        servers: [
          { mode: "SIMPLE", credentialName: "a/b", serverCertificate: "/c.pem", caCrl: "/crl.pem" },
          { mode: "MUTUAL", serverCertificate: "/c.pem", minProtocolVersion: "TLSV1_3", maxProtocolVersion: "TLSV1_2" },
          { mode: "ISTIO_MUTUAL", credentialName: "a", cipherSuites: ["ECDHE-RSA-AES128-GCM-SHA25"] },
          { mode: "OPTIONAL_MUTUAL", credentialName: "a", verifyCertificateHash: ["x"], verifyCertificateSpki: ["x"] },
          { mode: "AUTO_PASSTHROUGH" },
          { mode: "NONE" },
        ].map((tls, index) => ({
          port: { number: index + 1, name: `${index}`, protocol: "HTTPS" },
          hosts: ["*"],
          tls,
        })),
      }),
      [
        "spec.servers[0].tls.credentialName: must be the name of a Secret in the gateway workload's namespace",
        "spec.servers[0].tls.credentialName: must not be beside serverCertificate",
        "spec.servers[0].tls.privateKey: is required beside the other",
        "spec.servers[0].tls.caCrl: has no effect with mode: SIMPLE",
        "spec.servers[1].tls.privateKey: is required beside the other",
        "spec.servers[1].tls.caCertificates: is required for mode: MUTUAL",
        "spec.servers[1].tls.minProtocolVersion: is above maxProtocolVersion",
        'spec.servers[2].tls.cipherSuites[0]: must be a cipher suite of TLS 1.2 such as ECDHE-RSA-AES128-GCM-SHA256, not "ECDHE-RSA-AES128-GCM-SHA25"; did you mean',
        "spec.servers[2].tls.credentialName: has no effect with mode: ISTIO_MUTUAL",
        "spec.servers[2].tls.cipherSuites: has no effect with mode: ISTIO_MUTUAL",
        "spec.servers[3].tls.verifyCertificateSpki[0]: must be a SHA-256 in base64",
        "spec.servers[3].tls.verifyCertificateHash[0]: must be a SHA-256 in hexadecimal",
        "spec.servers[4].tls.mode: AUTO_PASSTHROUGH needs protocol TLS",
        "spec.servers[5].tls.mode: must be one of PASSTHROUGH, SIMPLE",
      ],
    ],
    [
      "entries of Secrets, of which nothing is quoted",
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "a" },
        type: "kubernetes.io/tls",
        data: { "tls.crt": "aGVsbG8=", "a b": "", x: "not base64" },
        stringData: { key: "no key either", y: 1 },
        secret: "x",
      },
      [
        'data["a b"]: must be letters, digits',
        "data.x: must be base64; write plain text into stringData",
        "stringData.y: must be a string: quote it",
        "secret: unknown field",
      ],
    ],
    [
      "certificates and keys of Secrets",
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "a" },
        type: "kubernetes.io/tls",
        data: { "tls.crt": "aGVsbG8=" },
        stringData: {
          key: "no key either",
          "ca.crt": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
          crl: "x",
        },
      },
      [
        'data["tls.key"]: is required for type: kubernetes.io/tls',
        'data["tls.crt"]: holds no certificate in PEM form',
        'stringData["key"]: holds no private key in PEM form',
        'stringData["ca.crt"]: certificate 1 in it can\'t be read',
        'stringData["crl"]: holds no revocation list',
      ],
    ],
    [
      "TLS of gateways, by protocol",
      object("Gateway", {
        servers: [
          { port: { number: 1, name: "a", protocol: "TLS" }, hosts: ["*"] },
          { port: { number: 2, name: "b", protocol: "HTTP" }, hosts: ["*"], tls: { mode: "PASSTHROUGH" } },
          { port: { number: 3, name: "c", protocol: "TCP" }, hosts: ["*"], tls: {} },
          { port: { number: 4, name: "d", protocol: "UDP" }, hosts: ["*"] },
          { port: { number: 5, name: "e", protocol: "HTTPS" }, hosts: ["*"], tls: { httpsRedirect: true } },
        ],
      }),
      [
        "spec.servers[0].tls.mode: is required for protocol TLS",
        "spec.servers[1].tls.mode: a server of protocol HTTP has no TLS",
        "spec.servers[2].tls: a server of protocol TCP has no TLS",
        "spec.servers[3].port.protocol: UDP is not supported by gateways",
        "spec.servers[4].tls.httpsRedirect: has no effect with protocol: HTTPS",
      ],
    ],
    [
      "protocols",
      se({ ports: [{ ...httpPort, protocol: "HTPP" }, { ...httpPort }] }),
      [
        'spec.ports[0].protocol: must be one of HTTP, HTTP2, HTTPS, GRPC, GRPC-WEB, TCP, TLS, MONGO, MYSQL, REDIS, UDP, HTTP_PROXY, not "HTPP"; did you mean HTTP?',
        "spec.ports[1].name: http is the name of ports[0] too",
        "spec.ports[1].number: 80 is the number of ports[0] too",
      ],
    ],
    [
      "resolutions",
      se({ resolution: "DNS", hosts: ["*.example.com"], addresses: ["10.0.0.0/8"] }),
      [
        "spec.addresses[0]: a CIDR block needs resolution NONE or STATIC",
        "spec.hosts[0]: a wildcard can't be resolved",
      ],
    ],
    [
      "endpoints",
      se({
        resolution: "STATIC",
        endpoints: [{ address: "host.example.com", ports: { web: 1 } }, {}],
        workloadSelector: {},
      }),
      [
        "spec.endpoints[1].address: is required",
        "spec.workloadSelector: must not be beside endpoints",
        "spec.endpoints[0].address: must be an IP address for resolution STATIC",
        "spec.endpoints[0].ports.web: is not the name of one of spec.ports",
      ],
    ],
    [
      "TCP for several hosts",
      se({ hosts: ["a", "b"], ports: [{ number: 1, name: "t", protocol: "TCP" }] }),
      ["spec.ports[0].protocol: must be HTTP or TLS"],
    ],
    [
      "workloads",
      we({ address: "unix:///x", ports: { "a/b": 0 } }),
      [
        "spec.address: unix domain sockets are not supported yet by Limpid",
        'spec.ports["a/b"]: "a/b" is not a valid port name',
      ],
    ],
    [
      "services",
      svc({
        type: "ExternalName",
        sessionAffinity: "ClientIP",
        externalIPs: [],
        ports: [{ port: 1 }, { port: 1, targetPort: "TOO BIG" }],
      }),
      [
        "spec.ports[1].targetPort: must be a port number, or a port's name",
        "spec.ports[0].name: is required when there are several ports",
        "spec.ports[1].name: is required when there are several ports",
        "spec.ports[1].port: 1 is the port of ports[0] too",
        "spec.type: not supported yet by Limpid; use a ServiceEntry with resolution DNS",
        "spec.sessionAffinity: must be None",
        "spec.externalIPs: not supported yet by Limpid",
      ],
    ],
  ])("%s", (_name, input, expected) => {
    const errors = errorsOf(input);
    expect(wordless(input)).toEqual([]);
    expect(errors).toEqual(
      expected.map((start) => expect.stringMatching(new RegExp(`^${start.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`))),
    );
  });
});

describe("takes what Go clients and templates write", () => {
  const unset = [{ destination: { host: "reviews", subset: "", port: { number: 80 } } }];
  test.each<[string, unknown]>([
    [
      "zero values of a VirtualService",
      vs({
        match: [{ uri: {}, scheme: {}, method: {}, authority: {}, port: 0, sourceNamespace: "" }],
        route: unset,
        mirrorPercent: null,
        mirror_percent: null,
        retries: { attempts: 2, retryRemoteLocalities: null, retryIgnorePreviousHosts: null },
        corsPolicy: { allowOrigins: [{ exact: "*" }], allowCredentials: null },
      }),
    ],
    ["zero values of a redirect", vs({ route: [], redirect: { uri: "/x", port: 0, redirectCode: 0, scheme: "" } })],
    [
      "faults with a percentage only",
      vs({ fault: { abort: { percentage: { value: 5 } }, delay: { percentage: { value: 5 } } } }),
    ],
    [
      "null wrappers of a DestinationRule",
      dr({
        outlierDetection: {
          consecutive5xxErrors: null,
          consecutiveGatewayErrors: null,
          consecutiveLocalOriginFailures: null,
        },
        tls: {
          mode: "SIMPLE",
          insecureSkipVerify: null,
          caCertificates: "ca.pem",
          sni: "outbound_.80_._.reviews.test",
        },
      }),
    ],
    [
      "hosts and server names of other clusters, and addresses",
      vs(
        {},
        {
          hosts: ["outbound_.80_._.reviews.test", "10.1.2.3"],
          gateways: ["edge"],
          tls: [{ match: [{ sniHosts: ["outbound_.80_._.reviews.test", "10.1.2.3"] }], route }],
        },
      ),
    ],
    [
      "a gateway for an address, and one that passes TLS through by default",
      gw({ hosts: ["10.1.2.3"], port: { ...httpPort, protocol: "TLS" }, tls: {} }),
    ],
    ["an endpoint of another network", we({ address: "", network: "west" })],
  ])("%s", (_, input) => expect(errorsOf(input)).toEqual([]));

  test("and reads it as if it were not there", () => {
    const object = accepted(
      vs({ match: [{ uri: {}, port: 0, headers: { uri: {} } }], route: unset, mirrorPercent: null }),
    );
    expect(withoutZeroValues(object).spec.http).toEqual([
      { match: [{ headers: { uri: {} } }], route: [{ destination: { host: "reviews", port: { number: 80 } } }] },
    ]);
    const plain = accepted(vs({}));
    expect(withoutZeroValues(plain)).toBe(plain);
  });

  test("but no short name as a gateway's host: clients outside of the mesh know none", () => {
    expect(errorsOf(gw({ hosts: ["foo", "default/bar", "*"] })).map((text) => text.split(": ")[0])).toEqual([
      "spec.servers[0].hosts[0]",
      "spec.servers[0].hosts[1]",
    ]);
  });
});

describe("variables in header values", () => {
  const header = (value: string) => errorsOf(vs({ headers: { response: { set: { x: value } } } }))[0];
  test.each([
    "%HOSTNAME%",
    "%START_TIME(%Y/%m)%",
    "%DURATION%ms",
    "100%%",
    "%REQ(x-a?y):5%",
    '%UPSTREAM_METADATA(["a","b"])%',
    "plain",
  ])("%s", (value) => {
    expect(header(value)).toBeUndefined();
  });
  test.each([
    ["%INVALID%", "there is no variable %INVALID%"],
    ["%HOSTNAM%", "there is no variable %HOSTNAM%; did you mean %HOSTNAME%?"],
    ["%REQ%", "%REQ% needs something in parentheses"],
    ["%DURATION(x)%", "%DURATION% takes nothing in parentheses"],
    ["50%", `a literal '%' is written "%%"`],
    ["%REQ(".repeat(50_000), `a literal '%' is written "%%"`],
  ])("%.20s is refused", (value, text) => {
    expect(header(value)).toContain(text);
  });
});

describe("metadata", () => {
  const named = (metadata: Spec) => object("VirtualService", { hosts: ["a"], http: [{ route }] }, metadata);

  test("takes what Kubernetes' clients send", () => {
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}" };
    const owner = [{ apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "y" }];
    const metadata = {
      name: "a.b",
      creationTimestamp: null,
      labels: { "a/b": "" },
      annotations,
      finalizers: [],
      ownerReferences: owner,
      selfLink: "",
    };
    expect(accepted(named(metadata)).metadata).toEqual({
      name: "a.b",
      namespace: "default",
      labels: { "a/b": "" },
      annotations,
      ownerReferences: owner,
    });
    expect(
      accepted({ apiVersion: "v1", kind: "Namespace", metadata: { name: "x", namespace: "y" } }).metadata.namespace,
    ).toBe("");
    expect(accepted({ ...named({ name: "a" }), status: { any: 1 } }).status).toBeUndefined();
  });

  test("refuses what is wrong, with the spec's errors", () => {
    expect(
      errorsOf(object("VirtualService", {}, { name: "A", namespace: "a.b", lables: {}, finalizers: ["x"] })),
    ).toEqual([
      expect.stringMatching(/^metadata.name: must be lower-case/),
      expect.stringMatching(/^metadata.namespace: must be lower-case/),
      expect.stringMatching(/^metadata.finalizers: not supported yet by Limpid/),
      "metadata.lables: unknown field; did you mean labels?",
      "spec.hosts: is required",
      "spec: needs at least one of http, tls, tcp",
    ]);
    expect(errorsOf(named({}))).toEqual(["metadata.name: is required"]);
    expect(errorsOf(named({ name: "a", annotations: { big: "x".repeat(262_145) } }))[0]).toMatch(
      /^metadata.annotations: must have at most 262144 bytes/,
    );
    expect(errorsOf({ ...named({ name: "a" }), specs: {}, spec: undefined })).toEqual([
      "specs: unknown field; did you mean spec?",
      expect.stringMatching(/^spec: is required/),
    ]);
  });
});

describe("the registry", () => {
  test("stores old versions as v1", () => {
    for (const version of ["v1", "v1beta1", "v1alpha3"]) {
      const apiVersion = `networking.istio.io/${version}`;
      expect(
        accepted(object("VirtualService", { hosts: ["a"], http: [{ route }] }, { name: "a" }, apiVersion)).apiVersion,
      ).toBe("networking.istio.io/v1");
      expect(kindOf(apiVersion, "Gateway")?.plural).toBe("gateways");
    }
    expect(kindOf("v1", "Gateway")).toBeUndefined();
    expect(kindOf("networking.istio.io/v2", "Gateway")).toBeUndefined();
  });

  test("refuses other kinds and versions by name", () => {
    expect(errorsOf(object("WasmPlugin", {}))[0]).toMatch(
      /^kind: WasmPlugin \(networking.istio.io\/v1\) is not supported by Limpid; the kinds are Namespace, Service/,
    );
    expect(errorsOf(object("VirtualServices", {}))[0]).toContain("did you mean VirtualService?");
    expect(
      errorsOf(
        object(
          "Gateway",
          { servers: [{ port: httpPort, hosts: ["*"] }] },
          { name: "g" },
          "gateway.networking.k8s.io/v1",
        ),
      ),
    ).toEqual([
      "apiVersion: must be networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3",
    ]);
    expect(errorsOf({})).toEqual(["apiVersion: is required, as a string", "kind: is required, as a string"]);
    for (const input of [null, [], "x", 5]) expect(errorsOf(input)).toHaveLength(1);
  });

  test("bounds an object's size and depth", () => {
    const big = vs({ name: "x".repeat(1_600_000) });
    expect(errorsOf(big)[0]).toMatch(/^: the object must have at most 1572864 bytes/);
    let deep: unknown = 1;
    for (let level = 0; level < 200_000; level++) deep = [deep];
    expect(errorsOf(vs({ name: deep }))).toEqual([": the object must be plain JSON that is not nested too deeply"]);
  });

  test("names are unique, and every kind has columns and a schema of what it takes", () => {
    const names = kinds.flatMap((kind) => [kind.kind, kind.plural, kind.singular, ...kind.shortNames]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(
      names.length - kinds.filter((kind) => kind.kind.toLowerCase() === kind.singular).length,
    );
    const schema = JSON.stringify(kindNamed("VirtualService")?.jsonSchema());
    expect(schema).toContain('"perTryTimeout"');
    for (const refused of ["delegate", "statPrefix", "exponentialDelay", "propertyNames", '"not"'])
      expect(schema).not.toContain(refused);
    const columns = (input: unknown) => {
      const parsed = accepted(input);
      return kindNamed(parsed.kind)?.columns.map((column) => column.value(parsed));
    };
    expect(
      columns(
        vs(
          {
            route: [
              { ...route[0], weight: 80 },
              { destination: { host: "x" }, weight: 20 },
            ],
          },
          { gateways: ["mesh"] },
        ),
      ),
    ).toEqual(['["mesh"]', '["reviews"]', "v1=80,x=20"]);
    expect(columns(dr({ loadBalancer: {} }, { subsets: [{ name: "v1" }, { name: "v2" }] }))).toEqual([
      "reviews",
      "v1,v2",
    ]);
    expect(columns(gw({}))).toEqual(["istio=ingressgateway", "80:*"]);
    expect(columns(se({}))).toEqual(['["api.example.com"]', "", "DNS"]);
    expect(columns(we({ labels: { app: "a", version: "b" } }))).toEqual(["127.0.1.3", "a", "b"]);
    expect(columns(svc({ selector: { app: "a" } }))).toEqual(["ClusterIP", "<none>", "9080/TCP", "app=a"]);
    expect(columns({ apiVersion: "v1", kind: "Namespace", metadata: { name: "x" } })).toEqual(["Active"]);
  });
});
