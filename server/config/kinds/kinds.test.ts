import { describe, expect, test } from "vitest";
import { kindNamed, kindOf, kinds } from "./index.ts";
import { accepted, dr, errorsOf, gw, httpPort, object, route, type Spec, se, svc, vs, we } from "./testing/objects.ts";
import { withoutZeroValues } from "./zero-values.ts";

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
    for (const refused of ["exponentialDelay", "propertyNames", '"not"']) expect(schema).not.toContain(refused);
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
