import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { createKubectl, findKubectl, type Kubectl } from "../server/control-plane/api/testing/kubectl.ts";
import { patience } from "./browser.ts";
import { eventually, limpid, reviewVersions, startMesh, type TestMesh } from "./mesh.ts";
import { tool } from "./tools.ts";

const binary = tool(findKubectl(), "no kubectl on the PATH");

/** All of reviews to one version, as in Istio's samples. */
const allTo = (version: string) =>
  stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "reviews" },
    spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews", subset: version } }] }] },
  });

describe.skipIf(binary.missing)(`a stock kubectl on the running mesh${binary.reason}`, () => {
  let mesh: TestMesh;
  let kubectl: Kubectl;
  beforeAll(async () => {
    mesh = await startMesh(["--no-dashboard"]);
    kubectl = createKubectl(binary.path, mesh.configApi);
  });
  afterAll(async () => {
    kubectl?.cleanup();
    await mesh?.stop();
  });
  const run = async (args: string, input?: string) => {
    const result = await kubectl.run(args.split(" "), input);
    expect(result, `kubectl ${args}`).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const answering = (versions: Record<string, number>, what: string) =>
    eventually(async () => JSON.stringify(await reviewVersions(mesh, 10)) === JSON.stringify(versions), patience, what);

  test("get shows what the mesh started with", async () => {
    expect(await run("get virtualservices")).toMatch(/^reviews +\["reviews"\]|^reviews .*reviews/m);
    expect(await run("get workloadentries")).toMatch(/^reviews-v3 +/m);
    expect(await run("get services,gateways,destinationrules -A")).toMatch(/bookinfo-gateway/);
  });

  test("apply, dry run, patch and delete change what answers", async () => {
    await run("apply --server-side=false -f -", allTo("v3"));
    await answering({ v3: 10 }, "v3 alone answers");
    await run("apply --dry-run=server -f -", allTo("v1"));
    expect(await reviewVersions(mesh, 10), "a dry run moves nothing").toEqual({ v3: 10 });
    const patch = `[{"op":"replace","path":"/spec/http/0/route/0/destination/subset","value":"v2"}]`;
    await run(`patch virtualservice reviews --type=json -p ${patch}`);
    await answering({ v2: 10 }, "v2 alone answers");
    await run("delete virtualservice reviews");
    await eventually(
      async () => Object.keys(await reviewVersions(mesh, 30)).length === 3,
      patience,
      "without a rule, every version answers",
    );
  });

  test("limpid's own apply, get and delete do the same", async () => {
    const env = { ...process.env, LIMPID_SERVER: mesh.configApi };
    const file = `${mesh.data}/reviews.yaml`;
    writeFileSync(file, allTo("v1"));
    expect(await limpid(["apply", "-f", file], env)).toMatchObject({ code: 0, err: "" });
    await answering({ v1: 10 }, "v1 alone answers");
    expect((await limpid(["get", "virtualservices"], env)).out).toMatch(/reviews/);
    expect(await limpid(["delete", "virtualservice", "reviews"], env)).toMatchObject({ code: 0, err: "" });
  });
});
