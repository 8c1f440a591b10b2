import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spiffe, TestAuthority, type TestCertificate } from "./secret/testing/certificates.ts";
import {
  clusterFrom,
  eventually,
  Fixtures,
  listenerJson,
  staticCluster,
  type TestPlane,
  toCluster,
} from "./test-plane.ts";
import { wholeLines } from "./testing/whole-lines.ts";
import {
  authoritySecret,
  bySds,
  certificateSecret,
  downstreamTls,
  inline,
  permissive,
  tcpChain,
  trusting,
  upstreamTls,
} from "./tls/testing/contexts.ts";

// Each end of a mutual TLS connection once as Envoy and once as ours: whoever is at the other end must not be able to tell.

const envoy = process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../.build/envoy/envoy/_bin/envoy");
const missing = !existsSync(envoy);
if (missing && process.env.CI) throw new Error(`no Envoy at ${envoy}`);

const modes = ["SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"] as const;
const details = { subject: true, uri: true, dns: true, cert: true };
const folder = mkdtempSync(join(tmpdir(), "mutual-tls-"));
const logPath = join(folder, "access.log");
const fixtures = new Fixtures();
let child: ChildProcess | undefined;
/** By name, where each listener of Envoy's and of ours is. */
const theirs = new Map<string, number>();
const ours = new Map<string, TestPlane>();
let seen: Record<string, unknown>[] = [];
/** Bytes that the TCP application has got of its last connection. */
let late = 0;

let ca: TestAuthority;
let a: TestCertificate;
let b: TestCertificate;
let stranger: TestCertificate;

/** How each destination is set up, on either proxy. */
const inbound = (): Record<string, { listener: JsonObject; clusters: string[] }> => ({
  ...Object.fromEntries(
    modes.map((mode) => [
      mode,
      {
        listener: permissive({ routes: [toCluster("app")] }, serverTls(), {
          forward_client_cert_details: mode,
          set_current_client_cert_details: details,
        }),
        clusters: ["app"],
      },
    ]),
  ),
  tcp: { listener: { filter_chains: [tcpChain("echo", serverTls())] }, clusters: ["echo"] },
});

const serverTls = () => downstreamTls({ ...inline(b), ...trusting(ca.pem, { prefix: "spiffe://cluster.local/" }) });
const clientTls = (certificate: TestCertificate | undefined, common: JsonObject = {}) =>
  upstreamTls({
    ...(certificate && inline(certificate)),
    ...trusting(ca.pem, { exact: spiffe("b") }),
    alpn_protocols: ["istio"],
    // As translation has it: Envoy's own default is 1.2 for clients.
    tls_params: { tls_maximum_protocol_version: "TLSv1_3" },
    ...common,
  });

/** Who the source is, on either proxy. */
const sources = (): Record<string, JsonObject> => ({
  good: clientTls(a),
  old: clientTls(a, { tls_params: { tls_maximum_protocol_version: "TLSv1_2" } }),
  nobody: clientTls(undefined),
  stranger: clientTls(stranger),
  strict: clientTls(a, trusting(ca.pem, { exact: spiffe("c") })),
});

beforeAll(async () => {
  if (missing) return;
  ca = await TestAuthority.create();
  const subject = String.raw`C=US,O=Ünï + Söhne,CN=a\"b`;
  a = await ca.issue({ uris: [spiffe("a"), "https://a.example/second"], dns: ["a.example", "*.a.example"], subject });
  b = await ca.issue({ uris: [spiffe("b"), "https://b.example/second"] });
  stranger = await (await TestAuthority.create("foreign")).issue({ uris: [spiffe("a")] });
  const app = await fixtures.http((request, response) => {
    seen.push(request.headers);
    request.pipe(response);
  });
  const echo = await fixtures.tcp((socket) => {
    let bytes = 0;
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      // The first to end, and then still a listener.
      if (chunk.toString("latin1", 0, 3) === "end") socket.end("bye");
      late = bytes;
    });
    socket.on("end", () => socket.end(`got ${bytes}`));
  });
  // A port that was free when it was chosen may be somebody else's by the time Envoy wants it.
  for (let attempt = 1; ; attempt++) {
    await connectProxies(app, echo);
    if (await isReachable(theirs.get("tcp") ?? 0)) break;
    if (attempt === 3) throw new Error("Envoy does not start");
  }
});

/** Each of our destinations and sources, and Envoy with the same; each side's sources lead to the other's destinations. */
async function connectProxies(app: number, echo: number): Promise<void> {
  const destinations = [staticCluster("app", [app]), staticCluster("echo", [echo])];
  for (const [name, { listener }] of Object.entries(inbound())) {
    ours.set(name, await fixtures.plane({ listener, clusters: destinations }));
  }
  const probe = new Fixtures();
  const names = [...Object.keys(inbound()), ...Object.keys(sources()).map((name) => `from ${name}`), "from tcp"];
  for (const name of names) theirs.set(name, await probe.tcp(() => {}));
  probe.close();
  const towards = (from: ReadonlyMap<string, number | TestPlane>, destination: string) => {
    const found = from.get(destination);
    return typeof found === "number" ? found : (found?.port ?? 0);
  };
  // Our sources go to Envoy's destination, Envoy's to ours.
  for (const [name, tls] of Object.entries(sources())) {
    const clusters = [staticCluster("up", [towards(theirs, "SANITIZE_SET")], tls)];
    ours.set(`from ${name}`, await fixtures.plane({ routes: [toCluster("up")], clusters }));
  }
  const outTcp = [staticCluster("tcp", [towards(theirs, "tcp")], clientTls(a))];
  ours.set("from tcp", await fixtures.plane({ listener: { filter_chains: [tcpChain("tcp")] }, clusters: outTcp }));
  startEnvoy(destinations, (destination) => towards(ours, destination));
}

afterAll(() => {
  child?.kill();
  fixtures.close();
  rmSync(folder, { recursive: true, force: true });
});

function startEnvoy(destinations: JsonObject[], ourPort: (destination: string) => number): void {
  const format =
    "%DOWNSTREAM_TLS_VERSION%|%DOWNSTREAM_PEER_URI_SAN%|%DOWNSTREAM_PEER_SUBJECT%|%DOWNSTREAM_PEER_ISSUER%|" +
    "%DOWNSTREAM_PEER_SERIAL%|%DOWNSTREAM_PEER_FINGERPRINT_256%|%DOWNSTREAM_LOCAL_URI_SAN%|%RESPONSE_FLAGS%|%REQ(:PATH)%\n";
  const log = {
    name: "envoy.access_loggers.file",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path: logPath,
      log_format: { text_format_source: { inline_string: format } },
    },
  };
  const at = (name: string, listener: JsonObject) =>
    JSON.parse(
      JSON.stringify({
        ...listenerJson({}),
        ...listener,
        name,
        address: { socket_address: { address: "127.0.0.1", port_value: theirs.get(name) ?? 0 } },
      }).replaceAll('"access_log":[{"name":"test"}]', `"access_log":${JSON.stringify([log])}`),
    ) as JsonObject;
  const listeners = Object.entries(inbound()).map(([name, { listener }]) => at(name, listener));
  const clusters = [...destinations];
  for (const [name, tls] of Object.entries(sources())) {
    clusters.push(staticCluster(name, [ourPort("SANITIZE_SET")], tls));
    listeners.push(at(`from ${name}`, listenerJson({ routes: [toCluster(name)] })));
  }
  clusters.push(staticCluster("tcp", [ourPort("tcp")], clientTls(a)));
  listeners.push(at("from tcp", { filter_chains: [tcpChain("tcp")] }));
  const path = join(folder, "envoy.json");
  writeFileSync(path, JSON.stringify({ static_resources: { listeners, clusters } }));
  const flags = ["--concurrency", "1", "-l", "error", "--use-dynamic-base-id", "--file-flush-interval-msec", "20"];
  child = spawn(envoy, ["-c", path, ...flags], { stdio: "inherit" });
}

/** False: Envoy has ended. */
async function isReachable(port: number): Promise<boolean> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child?.exitCode === null) {
    const up = await fixtures.client(port).then(
      (client) => void client.socket.destroy() === undefined,
      () => false,
    );
    if (up) return true;
    await new Promise((done) => setTimeout(done, 50));
  }
  child?.kill("SIGKILL");
  return false;
}

const get = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
const portOf = (side: "envoy" | "ours", name: string) =>
  (side === "envoy" ? theirs.get(name) : ours.get(name)?.port) ?? 0;

async function ask(port: number, text: string): Promise<string> {
  seen = [];
  return (await fixtures.client(port)).send(text).untilEnd();
}

describe.skipIf(missing)("mutual TLS with Envoy at the other end", () => {
  it.each(["envoy", "ours"] as const)("a request, with %s as the source", async (side) => {
    expect(await ask(portOf(side, "from good"), `${get}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
    expect(seen[0]?.["x-forwarded-client-cert"]).toContain(`URI=${spiffe("a")}`);
    expect(await ask(portOf(side, "from old"), `${get}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each(["envoy", "ours"] as const)("a megabyte both ways, with %s as the source", async (side) => {
    const body = "x".repeat(1024 * 1024);
    const text = `${get.replace("GET", "POST")}content-length: ${body.length}\r\n\r\n${body}`;
    const reply = await ask(portOf(side, "from good"), text);
    expect(reply.length).toBeGreaterThan(body.length);
    expect(reply.includes("x".repeat(10_000))).toBe(true);
  });

  it.each(["envoy", "ours"] as const)("TCP with a client that ends first, with %s as the source", async (side) => {
    const client = await fixtures.client(portOf(side, "from tcp"));
    client.socket.end(Buffer.alloc(300_000));
    expect(await client.untilEnd()).toBe("got 300000");
  });

  it.each(["envoy", "ours"] as const)("TCP with a server that ends first, with %s as the source", async (side) => {
    const client = await fixtures.client(portOf(side, "from tcp"));
    client.send("end");
    expect(await client.untilEnd()).toBe("bye");
    client.socket.end(Buffer.alloc(300_000));
    await eventually(() => late === 300_003);
  });

  it.each(["nobody", "stranger", "strict"])("who is refused gets 503 from both sources: %s", async (name) => {
    const [mine, other] = [
      await ask(portOf("ours", `from ${name}`), `${get}\r\n`),
      await ask(portOf("envoy", `from ${name}`), `${get}\r\n`),
    ];
    const outline = (text: string) => [text.slice(0, 12), text.split("\r\n\r\n")[1]];
    expect(outline(mine)).toEqual(outline(other));
    expect(seen).toEqual([]);
    expect(mine).toMatch(/^HTTP\/1.1 503 /);
  });

  it.each(modes)("says the same of the client's certificate: %s", async (mode) => {
    for (const field of ["", "x-forwarded-client-cert: By=x;URI=spiffe://before\r\n"]) {
      const heard: unknown[] = [];
      for (const side of ["envoy", "ours"] as const) {
        const source = await fixtures.plane({
          routes: [toCluster("up")],
          clusters: [staticCluster("up", [portOf(side, mode)], clientTls(a))],
          manager: { forward_client_cert_details: "ALWAYS_FORWARD_ONLY" },
        });
        expect(await ask(source.port, `${get}${field}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
        heard.push(seen[0]?.["x-forwarded-client-cert"]);
        // Plain text beside it.
        expect(await ask(portOf(side, mode), `${get}${field}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
        heard.push(seen[0]?.["x-forwarded-client-cert"]);
      }
      expect(heard.slice(2)).toEqual(heard.slice(0, 2));
    }
  });

  it("logs the same of a connection", async () => {
    // Envoy writes in its own time: the line of an earlier test may come after this one's begin.
    const path = "/this-very-request";
    const lines = () => wholeLines(logPath);
    await ask(portOf("ours", "from good"), `${get.replace("/ ", `${path} `)}\r\n`);
    await eventually(() => lines().some((line) => line.endsWith(path)));
    const line = lines().find((line) => line.endsWith(path));
    await ask(portOf("envoy", "from good"), `${get}\r\n`);
    const { downstreamTls: tls } = ours.get("SANITIZE_SET")?.lastRecord ?? {};
    const peer = tls?.peer;
    expect(
      [
        tls?.version,
        peer?.uris.join(","),
        peer?.subject,
        peer?.issuer,
        peer?.serialNumber,
        peer?.hash,
        tls?.local?.uris.join(","),
        "-",
        path,
      ].join("|"),
    ).toBe(line);
  });

  it("takes certificates over SDS as it takes them by value", async () => {
    const source = await fixtures.plane({ routes: [toCluster("sds")] });
    const common = { ...bySds("0s", { exact: spiffe("b") }), alpn_protocols: ["istio"] };
    const cluster = staticCluster("sds", [portOf("envoy", "SANITIZE_SET")], upstreamTls(common));
    expect(source.plane.setCluster(clusterFrom(cluster))).toEqual([]);
    source.plane.setSecret(certificateSecret(a));
    source.plane.setSecret(authoritySecret(ca.pem));
    expect(await ask(source.port, `${get}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
  });
});
