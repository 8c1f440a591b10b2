import { describe, expect, test } from "vitest";
import { type ConfigObject, keyOf } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import { buildMesh } from "../../../model/mesh.ts";
import { warningHeader, warningsOf } from "./index.ts";
import { base, nowMs, objects, texts, warn } from "./testing/warn.ts";

const virtualService = (spec: string, name = "mine") =>
  `{ kind: VirtualService, metadata: { name: ${name} }, spec: ${spec} }`;

describe("destinations", () => {
  test("hosts that nobody has, subsets that no rule has, and subsets that nobody is in", () => {
    const found = warn(`
kind: DestinationRule
metadata: { name: ratings }
spec: { host: ratings, subsets: [{ name: v9, labels: { version: v9 } }] }
---
${virtualService(`{ hosts: [reviews], http: [{ route: [{ destination: { host: reviews, subset: v2 }, weight: 50 }, { destination: { host: revews }, weight: 50 }], mirror: { host: ratings, subset: v9 } }] }`)}`);
    expect(found).toEqual([
      "spec.subsets[0].labels: no endpoint of ratings.default.svc.cluster.local has the labels version=v9: nobody is in the subset v9",
      "spec.http[0].route[0].destination.subset: no DestinationRule of reviews.default.svc.cluster.local has the subset v2, did you mean v1?; what goes there is answered 503",
      "spec.http[0].route[1].destination.host: no Service or ServiceEntry has the host revews.default.svc.cluster.local, did you mean reviews.default.svc.cluster.local?; what goes there is answered 503",
      "spec.http[0].mirror.subset: no endpoint of ratings.default.svc.cluster.local has the labels of subset v9; what is mirrored is lost",
    ]);
  });

  test("of several destinations one without a weight answers nobody", () => {
    const shared = (weights: string) => warn(virtualService(`{ hosts: [reviews], http: [{ route: [${weights}] }] }`));
    expect(
      shared(
        "{ destination: { host: reviews, subset: v1 }, weight: 100 }, { destination: { host: reviews, subset: v9 }, weight: 0 }, { destination: { host: nobody } }",
      ),
    ).toEqual([
      "spec.http[0].route[1].destination.subset: no DestinationRule of reviews.default.svc.cluster.local has the subset v9, did you mean v1?; its weight is 0, so that nothing goes there yet",
      "spec.http[0].route[2].destination.host: no Service or ServiceEntry has the host nobody.default.svc.cluster.local",
    ]);
    // Alone it gets everything, whatever its weight.
    expect(shared("{ destination: { host: nobody }, weight: 0 }")).toEqual([
      "spec.http[0].route[0].destination.host: no Service or ServiceEntry has the host nobody.default.svc.cluster.local; what goes there is answered 503",
    ]);
  });

  test("those of TCP and TLS rules count, too", () => {
    const spec = `{ hosts: [db.test], tcp: [{ route: [{ destination: { host: db.test } }] }], tls: [{ match: [{ sniHosts: [db.test] }], route: [{ destination: { host: nobody } }] }] }`;
    expect(warn(virtualService(spec))).toEqual([
      "spec.tls[0].route[0].destination.host: no Service or ServiceEntry has the host nobody.default.svc.cluster.local; what goes there is closed at once",
      "spec.tcp[0].route[0].destination.host: no Service or ServiceEntry has the host db.test; what goes there is closed at once",
      "spec.hosts[0]: no Service or ServiceEntry has the host db.test; the rule is for nobody",
    ]);
  });

  test("a VirtualService inside of the mesh for a host that nobody has", () => {
    const to = "http: [{ route: [{ destination: { host: reviews } }] }]";
    expect(warn(virtualService(`{ hosts: [revews, reviews], ${to} }`))[0]).toBe(
      "spec.hosts[0]: no Service or ServiceEntry has the host revews.default.svc.cluster.local, did you mean reviews.default.svc.cluster.local?; its rules are met by calls to port 80 of that name only",
    );
    expect(warn(virtualService(`{ hosts: ["*.example.com"], ${to} }`))).toEqual([]);
  });

  test("rules for a protocol that the service does not speak", () => {
    const database =
      "{ kind: Service, metadata: { name: db }, spec: { selector: { app: reviews }, ports: [{ port: 3306, name: mysql }] } }\n---\n";
    const rules = (host: string, list: string) =>
      warn(
        `${database}${virtualService(`{ hosts: [${host}], ${list}: [{ route: [{ destination: { host: ${host} } }] }] }`)}`,
      );
    expect(rules("db", "http")).toEqual([
      "spec.http: db.default.svc.cluster.local has no port that speaks HTTP: no connection meets these rules; write them as tcp or tls",
    ]);
    expect(rules("reviews", "tcp")).toEqual([
      "spec.tcp: all ports of reviews.default.svc.cluster.local speak HTTP: no request meets these rules; write them as http",
    ]);
    expect(rules("db", "tcp")).toEqual([]);
  });

  test("a DestinationRule for a host that nobody has", () => {
    expect(warn("{ kind: DestinationRule, metadata: { name: a }, spec: { host: revews } }")[0]).toContain(
      "spec.host: no Service or ServiceEntry has the host revews",
    );
  });

  test("a wildcard of a ServiceEntry is known by its own name only, as a cluster is", () => {
    const entry =
      "{ kind: ServiceEntry, metadata: { name: e }, spec: { hosts: ['*.example.com'], ports: [{ number: 80, name: http, protocol: HTTP }] } }\n---\n";
    const to = (host: string) =>
      warn(
        `${entry}${virtualService(`{ hosts: [a.example.com], http: [{ route: [{ destination: { host: "${host}" } }] }] }`)}`,
      );
    expect(to("*.example.com")).toEqual([]);
    expect(to("a.example.com")).toEqual([expect.stringContaining("a route leads to *.example.com by that name")]);
  });
});

describe("what a host means depends on who calls", () => {
  const entry = (namespace: string, exportTo: string) =>
    `{ kind: ServiceEntry, metadata: { name: vendor, namespace: ${namespace} }, spec: { hosts: [api.vendor.test], exportTo: ["${exportTo}"], resolution: STATIC, ports: [{ number: 80, name: http, protocol: HTTP }], endpoints: [{ address: 127.0.0.1, labels: { version: ${namespace} } }] } }\n---\n`;
  const route = (namespace: string, more = "", subset = "") =>
    `{ kind: VirtualService, metadata: { name: mine, namespace: ${namespace} }, spec: { hosts: [api.vendor.test], ${more} http: [{ route: [{ destination: { host: api.vendor.test ${subset && `, subset: ${subset}`} } }] }] } }`;
  const rule = (namespace: string, subset: string) =>
    `{ kind: DestinationRule, metadata: { name: vendor, namespace: ${namespace} }, spec: { host: api.vendor.test, subsets: [{ name: ${subset}, labels: { version: ${subset} } }] } }\n---\n`;

  test("what another namespace keeps to itself is nobody's here", () => {
    expect(warn(entry("team-a", ".") + route("team-a"))).toEqual([]);
    expect(warn(entry("team-a", ".") + route("default"))).toEqual([
      "spec.http[0].route[0].destination.host: the namespace default does not see ServiceEntry team-a/vendor, which has the host api.vendor.test, by its exportTo; what goes there is answered 503",
    ]);
    expect(warn(entry("team-a", "default") + route("default"))).toEqual([]);
  });

  test("one's own goes before what all see, subsets included", () => {
    const both = entry("team-a", "*") + entry("default", ".") + rule("default", "default");
    expect(warn(both + route("default", "", "default"))).toEqual([]);
    expect(warn(both + route("team-a", "", "default"))).toEqual([expect.stringContaining("has the subset default")]);
  });

  test("a rule of a third namespace is in force for nobody else", () => {
    const rules = `${entry("team-a", "*")}${rule("team-b", "team-a")}`;
    expect(warn(rules + route("default", "", "team-a"))).toEqual([expect.stringContaining("has the subset team-a")]);
    expect(warn(rules + route("team-b", "", "team-a"))).toEqual([]);
  });

  test("rules of a gateway are followed from where its proxies are", () => {
    const gateway = "gateways: [shop],";
    const host = (text: string) => text.replace("hosts: [api.vendor.test]", "hosts: [shop.test]");
    const told = (namespace: string) =>
      texts(
        warningsOf(
          objects(entry("default", ".") + host(route("default", gateway))).map((after) => ({
            type: "ADDED" as const,
            key: keyOf(after),
            after,
          })),
          { mesh: buildMesh(base, 1), nowMs, gatewayProxies: [{ namespace, labels: { istio: "ingressgateway" } }] },
        ),
      );
    expect(told("default")).toEqual([]);
    expect(told("istio-system")).toEqual([expect.stringContaining("the namespace istio-system does not see")]);
  });

  test("of two VirtualServices the nearer is followed, whatever its age", () => {
    const spec = (exportTo: string) =>
      `{ hosts: [reviews.default.svc.cluster.local], exportTo: ["${exportTo}"], http: [{ route: [{ destination: { host: reviews.default.svc.cluster.local } }] }] }`;
    const one = (namespace: string, exportTo: string, second: number) =>
      `{ kind: VirtualService, metadata: { name: mine, namespace: ${namespace}, creationTimestamp: "2026-01-01T00:00:0${second}Z" }, spec: ${spec(exportTo)} }`;
    expect(warn(`${one("team-a", "*", 1)}\n---\n${one("default", ".", 2)}`)).toEqual([
      expect.stringMatching(/sidecars of the namespace default follow that one, the nearer of the two by exportTo$/),
      expect.stringMatching(/sidecars of the namespace default follow this one, the nearer of the two by exportTo$/),
    ]);
  });

  test("a Sidecar's host is looked for in the namespace that it names", () => {
    const sidecar = (host: string) =>
      `{ kind: Sidecar, metadata: { name: a }, spec: { egress: [{ hosts: ["${host}"] }] } }`;
    expect(warn(sidecar("default/reviews.default.svc.cluster.local"))).toEqual([]);
    expect(warn(sidecar("other/reviews.default.svc.cluster.local"))).toEqual([
      "spec.egress[0].hosts[0]: reviews.default.svc.cluster.local is of the namespace default",
    ]);
  });
});

describe("what is taken away", () => {
  const route = virtualService(
    `{ hosts: [shop.test], gateways: [shop], http: [{ route: [{ destination: { host: reviews, subset: v1 } }] }] }`,
  );
  const there = [...base, ...objects(route)];
  const remove = (kind: string, name: string, stored = there) => {
    const before = stored.find((one) => one.kind === kind && one.metadata.name === name) as ConfigObject;
    const changes: ConfigChange[] = [{ type: "DELETED", key: keyOf(before), before }];
    return texts(warningsOf(changes, { mesh: buildMesh(stored, 1), gatewayProxies: undefined, nowMs }));
  };

  test.each([
    [
      "DestinationRule",
      "reviews",
      "VirtualService default/mine needs what goes: spec.http[0].route[0].destination.subset",
    ],
    ["Service", "reviews", "VirtualService default/mine needs what goes: spec.http[0].route[0].destination.host"],
    ["Gateway", "shop", "VirtualService default/mine needs what goes: spec.gateways[0]"],
  ])("%s %s, which a route needs", (kind, name, text) => {
    expect(remove(kind, name)).toEqual([expect.stringContaining(text)]);
  });

  test("a mirror's answer is nobody's: nothing is answered 503", () => {
    const spec = `{ hosts: [shop.test], gateways: [shop], http: [{ route: [{ destination: { host: reviews } }], mirror: { host: ratings } }] }`;
    expect(remove("Service", "ratings", [...base, ...objects(virtualService(spec))])).toEqual([
      "VirtualService default/mine needs what goes: spec.http[0].mirror.host: no Service or ServiceEntry has the host ratings.default.svc.cluster.local",
    ]);
  });

  test("what nobody needs goes in silence", () => {
    expect(remove("Service", "ratings")).toEqual([]);
  });

  test("a subset that is renamed is missed where it is needed", () => {
    const before = base.find((one) => one.kind === "DestinationRule") as ConfigObject;
    const after = { ...before, spec: { host: "reviews", subsets: [{ name: "one", labels: { version: "v1" } }] } };
    const changes: ConfigChange[] = [{ type: "MODIFIED", key: keyOf(before), before, after }];
    expect(texts(warningsOf(changes, { mesh: buildMesh(there, 1), gatewayProxies: undefined, nowMs }))).toHaveLength(1);
  });
});

describe("gateways", () => {
  const to = "http: [{ route: [{ destination: { host: reviews } }] }]";
  test("that don't exist, or let none of the hosts in", () => {
    expect(warn(virtualService(`{ hosts: [shop.test], gateways: [nope/missing], ${to} }`))).toEqual([
      "spec.gateways[0]: there is no Gateway nope/missing; what comes there is answered 404",
    ]);
    expect(warn(virtualService(`{ hosts: [shop.test], gateways: [shopp], ${to} }`))[0]).toContain(
      "did you mean default/shop?",
    );
    expect(warn(virtualService(`{ hosts: [other.test], gateways: [shop], ${to} }`))).toEqual([
      "spec.gateways[0]: no server of Gateway default/shop lets in other.test of the namespace default: it has shop.test",
    ]);
    expect(warn(virtualService(`{ hosts: [shop.test], gateways: [default/shop, mesh], ${to} }`))).toEqual([]);
  });

  test("that no connected proxy serves", () => {
    const gateway =
      "{ kind: Gateway, metadata: { name: a }, spec: { selector: { istio: nobody }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }] } }";
    expect(warn(gateway, { proxies: [{ istio: "ingressgateway" }] })).toEqual([
      "spec.selector: no gateway proxy that is connected has the labels istio=nobody: nobody serves it",
    ]);
    expect(warn(gateway)).toEqual([]);
  });
});

describe("rules that are never reached", () => {
  const rules = (...http: string[]) => warn(virtualService(`{ hosts: [reviews], http: [${http.join(", ")}] }`));
  const rule = (match: string) =>
    `{ ${match ? `match: [${match}], ` : ""}route: [{ destination: { host: reviews } }] }`;

  test("after one that takes everything", () => {
    expect(rules(rule(""), rule("{ uri: { prefix: /api } }"), rule("{ uri: { prefix: /b } }"))).toEqual([
      "spec.http[1]: is never reached, nor are the 1 after it: http[0] takes everything",
    ]);
    expect(rules(rule("{ uri: { prefix: / } }"), rule(""))).toEqual([
      "spec.http[1]: is never reached: http[0] takes everything",
    ]);
    expect(rules(rule("{ uri: { prefix: /api } }"), rule(""))).toEqual([]);
  });

  test("after one with the same match, or with a prefix of it", () => {
    expect(
      rules(rule("{ uri: { exact: /a } }, { uri: { exact: /b } }"), rule("{ uri: { exact: /b }, name: b }")),
    ).toEqual(["spec.http[1]: is never reached: http[0] has the same match"]);
    expect(rules(rule("{ uri: { prefix: /a } }"), rule("{ uri: { prefix: /a/b } }, { uri: { prefix: /c } }"))).toEqual([
      'spec.http[1].match[0]: has no effect: http[0] takes every path with the prefix "/a"',
    ]);
    expect(rules(rule("{ uri: { prefix: /a }, method: { exact: GET } }"), rule("{ uri: { prefix: /a/b } }"))).toEqual(
      [],
    );
  });

  test("a thousand rules are looked through at once", () => {
    const many = Array.from({ length: 5000 }, (_, index) => rule(`{ uri: { prefix: /p${index}/ } }`));
    expect(rules(...many)).toEqual([]);
  });
});

describe("two of which one is in force", () => {
  test("VirtualServices of one host on the mesh; gateways merge", () => {
    const spec = "{ hosts: [reviews], http: [{ route: [{ destination: { host: reviews } }] }] }";
    expect(warn(`${virtualService(spec, "a")}\n---\n${virtualService(spec, "b")}`)).toEqual([
      "spec.hosts[0]: VirtualService default/b has the host reviews.default.svc.cluster.local, too; sidecars follow this one, the older of the two",
      "spec.hosts[0]: VirtualService default/a has the host reviews.default.svc.cluster.local, too; sidecars follow that one, the older of the two",
    ]);
    const atGateway =
      "{ hosts: [shop.test], gateways: [shop], http: [{ route: [{ destination: { host: reviews } }] }] }";
    expect(warn(`${virtualService(atGateway, "a")}\n---\n${virtualService(atGateway, "b")}`)).toEqual([]);
  });

  test("DestinationRules of one host that say the same thing twice", () => {
    const rule = (name: string, spec: string) =>
      `{ kind: DestinationRule, metadata: { name: ${name} }, spec: { host: reviews, ${spec} } }`;
    expect(warn(rule("second", "subsets: [{ name: v1, labels: { version: v1 } }]"))).toEqual([
      "spec.subsets[0]: DestinationRule reviews has a subset v1 of reviews.default.svc.cluster.local, too; that one's counts",
    ]);
    expect(warn(rule("second", "trafficPolicy: { loadBalancer: { simple: RANDOM } }"))).toEqual([]);
  });

  test("hosts of one entry on a TCP port", () => {
    const entry =
      "{ kind: ServiceEntry, metadata: { name: e }, spec: { hosts: [a.test, b.test], ports: [{ number: 3306, name: tcp, protocol: TCP }] } }";
    expect(warn(entry)).toContain(
      "spec.ports[0]: nothing tells the 2 hosts apart on TCP port 3306: give each an entry of its own",
    );
  });

  test("services of one TCP port", () => {
    const entry = (name: string) =>
      `{ kind: ServiceEntry, metadata: { name: ${name} }, spec: { hosts: [${name}.test], resolution: DNS, ports: [{ number: 3306, name: tcp, protocol: TCP }] } }`;
    expect(warn(`${entry("a")}\n---\n${entry("b")}`)).toEqual([
      expect.stringContaining("spec.ports[0]: b.test has the TCP port 3306, too"),
      expect.stringContaining("spec.ports[0]: a.test has the TCP port 3306, too"),
    ]);
  });
});

describe("what is for workloads", () => {
  test("a selector that nobody has the labels of", () => {
    const policy = (app: string) =>
      `{ apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: { name: a }, spec: { selector: { matchLabels: { app: ${app} } } } }`;
    expect(warn(policy("revews"))).toEqual([
      "spec.selector.matchLabels: no workload of the namespace default has the labels app=revews: it is for nobody",
    ]);
    expect(warn(policy("reviews"))).toEqual([]);
    expect(warn(policy("edge"), { proxies: [{ app: "edge" }] })).toEqual([]);
  });

  test("hosts of a Sidecar that say nothing", () => {
    const egress = (...hosts: string[]) =>
      warn(`{ kind: Sidecar, metadata: { name: a }, spec: { egress: [{ hosts: ${JSON.stringify(hosts)} }] } }`);
    expect(egress("./*", "*/*")).toEqual([
      "spec.egress[0].hosts[1]: lets everything be called: the other hosts say nothing",
    ]);
    expect(egress("./*", "./*")).toEqual(["spec.egress[0].hosts[1]: ./* is there twice"]);
  });

  test("two of which one is in force, and hosts that a Sidecar names in vain", () => {
    const sidecar = (name: string, host: string) =>
      `{ kind: Sidecar, metadata: { name: ${name} }, spec: { egress: [{ hosts: ["${host}", "./*"] }] } }`;
    expect(warn(`${sidecar("a", "./revews")}\n---\n${sidecar("b", "default/reviews")}`)).toEqual([
      "Sidecar default/b has no selector either: this one, the older, is in force",
      "spec.egress[0].hosts[0]: no Service or ServiceEntry has the host revews.default.svc.cluster.local, did you mean reviews.default.svc.cluster.local?",
      "Sidecar default/a has no selector either: that one, the older, is in force",
    ]);
  });
});

test("what Istio's validation warns of in single fields", () => {
  expect(
    warn(
      virtualService(
        `{ hosts: [reviews], gateways: [shop.default.svc.cluster.local, mesh], http: [{ mirrorPercent: 5, mirror: { host: ratings }, corsPolicy: { allowOrigin: ["*"] }, fault: { delay: { percent: 5, fixedDelay: 1s }, abort: { httpStatus: 500 } }, route: [{ destination: { host: reviews } }] }] }`,
      ),
    ).filter((text) => !/lets in|no Gateway/.test(text)),
  ).toEqual([
    expect.stringContaining('spec.gateways[0]: is an old form of "default/shop"'),
    "spec.http[0].mirrorPercent: is deprecated: use mirrorPercentage",
    "spec.http[0].fault.delay.percent: is deprecated: use percentage",
    "spec.http[0].fault.abort: has no percentage, and so hits nothing",
    "spec.http[0].corsPolicy.allowOrigin: is deprecated: use allowOrigins",
  ]);
  expect(
    warn(
      "{ kind: DestinationRule, metadata: { name: ratings }, spec: { host: ratings, trafficPolicy: { outlierDetection: { consecutiveErrors: 5 } } } }",
    ),
  ).toEqual([expect.stringContaining("spec.trafficPolicy.outlierDetection.consecutiveErrors: is deprecated")]);
  expect(
    warn("{ kind: ServiceEntry, metadata: { name: e }, spec: { hosts: ['*a.test'], workloadSelector: {} } }").map(
      (text) => text.split(": ")[0],
    ),
  ).toEqual(["spec.hosts[0]", "spec.workloadSelector", "spec.workloadSelector"]);
});

test("the header is what HTTP's grammar wants, and names objects when there are several", () => {
  const warning = { kind: "Gateway", namespace: "default", name: "a", path: "spec", message: 'a "b" →' };
  expect(warningHeader([])).toEqual({});
  expect(warningHeader([warning])).toEqual({ warning: '299 - "spec: a \\"b\\" ?"' });
  expect(warningHeader([warning, { ...warning, name: "b" }]).warning).toContain("Gateway default/b: spec: a");
  const many = warningHeader(Array.from({ length: 1000 }, () => warning)).warning ?? "";
  expect(many.length).toBeLessThan(8_000);
  expect(many).toMatch(/and \d+ more warnings"$/);
});

test("warnings have parts, so that pages can say them in other languages", () => {
  const [after] = objects(
    virtualService("{ hosts: [reviews], http: [{ route: [{ destination: { host: revews } }] }] }"),
  );
  if (!after) throw new Error("no object");
  const changes: ConfigChange[] = [{ type: "ADDED", key: keyOf(after), after }];
  expect(warningsOf(changes, { mesh: buildMesh(base, 1), nowMs, gatewayProxies: undefined })).toEqual([
    expect.objectContaining({
      reason: "host-unknown-near-route",
      params: { host: "revews.default.svc.cluster.local", near: "reviews.default.svc.cluster.local" },
    }),
  ]);
});
