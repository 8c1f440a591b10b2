import { describe } from "vitest";
import { keepsAsWritten, match, object, refusesByPath, route, vs } from "./testing/objects.ts";

describe("accepts, and keeps as written", () => {
  keepsAsWritten([
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
        statPrefix: "matches",
      }),
    ],
    [
      "root and delegate",
      vs({
        route: undefined,
        match: [{ uri: { prefix: "/a" } }],
        directResponse: { status: 503 },
        rewrite: { uri: "/" },
        mirror: { host: "a" },
        mirrors: [],
        delegate: { name: "team.a", namespace: "" },
      }),
    ],
    ["a delegate", object("VirtualService", { exportTo: ["."], http: [{ route }] })],
    ["a delegate as templates write it", object("VirtualService", { hosts: [], gateways: [], http: [{ route }] })],
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
  ]);
});

describe("refuses, by path", () => {
  refusesByPath([
    ["unknown fields", vs({ weigth: 1 }), ["spec.http[0].weigth: unknown field"]],
    ["a field meant otherwise", vs({ rout: [] }), ["spec.http[0].rout: unknown field; did you mean route?"]],
    [
      "a root that acts itself",
      vs({ delegate: { name: "Reviews", namespace: "a.b" }, redirect: { uri: "/x" } }),
      [
        "spec.http[0].delegate.name: must be lower-case",
        "spec.http[0].delegate.namespace: must be a DNS label",
        "spec.http[0].route: a rule can't have both this and delegate",
        "spec.http[0].redirect: a rule can't have both this and delegate",
      ],
    ],
    [
      "a delegate that is more than rules of requests, or delegates further",
      object("VirtualService", {
        gateways: ["mesh"],
        http: [{ route }, { delegate: { name: "x" } }],
        tls: [{ match: [{ sniHosts: ["a.example.com"] }], route }],
        tcp: [{ route }],
      }),
      [
        "spec.gateways: needs hosts",
        "spec.tls: needs hosts",
        "spec.tcp: needs hosts",
        "spec.http[1].delegate: a delegate can't delegate any further",
      ],
    ],
    [
      "fields of Istio that Limpid lacks",
      vs({ fault: { delay: { exponentialDelay: "1s" } } }, { tls: [], tcp: [] }),
      [
        "spec.http[0].fault.delay.exponentialDelay: not supported yet by Limpid; use fixedDelay",
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
  ]);
});
