import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { readBody } from "../../lib/http-body.ts";

/** Resolves to what was answered, whatever its status; rejects when nothing was, in time. */
export type ApiServerCall = (method: string, path: string, body: object) => Promise<{ status: number; text: string }>;

/** Where a Kubernetes API server is, and how we show it who we are. */
export interface ApiServer {
  url: URL;
  /** PEM; undefined: the roots that Node knows. */
  ca?: string | undefined;
  /** Read anew for each call: the kubelet writes a new one before the old one ends. */
  token?: (() => Promise<string>) | undefined;
  certificate?: { cert: string; key: string } | undefined;
}

const timeoutMs = 5_000;
const maxAnswerBytes = 256 * 1024;

export function apiServerCall({ url, ca, token, certificate }: ApiServer): ApiServerCall {
  const agent = new Agent({ keepAlive: true, maxSockets: 16, ...(ca !== undefined && { ca }), ...certificate });
  return async (method, path, body) => {
    const text = JSON.stringify(body);
    const bearer = await token?.();
    const headers = {
      "content-type": "application/json",
      accept: "application/json",
      "content-length": String(Buffer.byteLength(text)),
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    };
    const target = new URL(url.pathname.replace(/\/$/, "") + path, url);
    return await new Promise((done, fail) => {
      const req = request(target, { method, agent, headers }, (response) => {
        readBody(response, maxAnswerBytes, () => new Error(`an answer over ${maxAnswerBytes} bytes`)).then(
          (read) => done({ status: response.statusCode ?? 0, text: read.toString("utf8") }),
          fail,
        );
      });
      const timer = setTimeout(() => req.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      req.once("close", () => clearTimeout(timer));
      req.once("error", fail);
      req.end(text);
    });
  };
}

type Env = Readonly<Record<string, string | undefined>>;

/** Where Kubernetes puts what a Pod's own account needs. */
const podFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * LIMPID_KUBERNETES_API, an https address (or `in-cluster`), with LIMPID_KUBERNETES_CA_FILE and LIMPID_KUBERNETES_TOKEN_FILE; or LIMPID_KUBERNETES_KUBECONFIG, a file
 * whose current context is used. Undefined when neither is set. Throws an Error that names the variable and what would be right.
 */
export function apiServerOf(env: Env): ApiServer | undefined {
  const given = env.LIMPID_KUBERNETES_API?.trim();
  const kubeconfig = env.LIMPID_KUBERNETES_KUBECONFIG?.trim();
  if (given && kubeconfig) throw new Error("LIMPID_KUBERNETES_API and LIMPID_KUBERNETES_KUBECONFIG: one of the two");
  if (kubeconfig) return fromKubeconfig(kubeconfig);
  if (!given) return undefined;
  const inCluster = given === "in-cluster";
  const url = inCluster ? inClusterAddress(env) : given;
  const ca = env.LIMPID_KUBERNETES_CA_FILE?.trim() || (inCluster ? `${podFolder}/ca.crt` : undefined);
  const token = env.LIMPID_KUBERNETES_TOKEN_FILE?.trim() || (inCluster ? `${podFolder}/token` : undefined);
  if (token === undefined)
    throw new Error("LIMPID_KUBERNETES_TOKEN_FILE must name the file of a token that may create TokenReviews");
  readable("LIMPID_KUBERNETES_TOKEN_FILE", token);
  return {
    url: httpsUrl("LIMPID_KUBERNETES_API", url),
    ca: ca === undefined ? undefined : readable("LIMPID_KUBERNETES_CA_FILE", ca),
    token: async () => (await readFile(token, "utf8")).trim(),
  };
}

/** For whom tokens must be made: LIMPID_KUBERNETES_AUDIENCE, a comma between several; `istio-ca`, as Istio's agents ask for them, when unset. */
export function audiencesOf(env: Env): readonly string[] {
  const given = (env.LIMPID_KUBERNETES_AUDIENCE ?? "").split(",").map((one) => one.trim());
  const named = given.filter((one) => one !== "");
  return named.length > 0 ? named : ["istio-ca"];
}

function inClusterAddress(env: Env): string {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  if (!host) throw new Error("LIMPID_KUBERNETES_API: in-cluster needs KUBERNETES_SERVICE_HOST, which every Pod has");
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function httpsUrl(name: string, given: string): URL {
  const url = URL.parse(given);
  if (url?.protocol !== "https:")
    throw new Error(`${name} must be an https address, such as https://10.0.0.1:6443, not ${JSON.stringify(given)}`);
  return url;
}

function readable(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`${name}: ${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

const named = <T extends z.ZodRawShape>(shape: T) => z.array(z.object({ name: z.string(), ...shape }));
const kubeconfigSchema = z.object({
  "current-context": z.string(),
  contexts: named({ context: z.object({ cluster: z.string(), user: z.string() }) }),
  clusters: named({
    cluster: z.object({
      server: z.string(),
      "certificate-authority": z.string().optional(),
      "certificate-authority-data": z.string().optional(),
    }),
  }),
  users: named({
    user: z.object({
      token: z.string().optional(),
      tokenFile: z.string().optional(),
      "client-certificate": z.string().optional(),
      "client-certificate-data": z.string().optional(),
      "client-key": z.string().optional(),
      "client-key-data": z.string().optional(),
    }),
  }),
});

/** https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
function fromKubeconfig(path: string): ApiServer {
  const name = "LIMPID_KUBERNETES_KUBECONFIG";
  const read = kubeconfigSchema.safeParse(parseYaml(readable(name, path)));
  if (!read.success) throw new Error(`${name}: ${path} is no kubeconfig: ${z.prettifyError(read.error)}`);
  const { contexts, clusters, users, "current-context": current } = read.data;
  const context = contexts.find((one) => one.name === current)?.context;
  const cluster = clusters.find((one) => one.name === context?.cluster)?.cluster;
  const user = users.find((one) => one.name === context?.user)?.user;
  if (!cluster || !user) throw new Error(`${name}: ${path} has no context ${current} with a cluster and a user`);
  const from = (data: string | undefined, file: string | undefined): string | undefined => {
    if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
    return file === undefined ? undefined : readable(name, resolve(dirname(path), file));
  };
  const cert = from(user["client-certificate-data"], user["client-certificate"]);
  const key = from(user["client-key-data"], user["client-key"]);
  const { token, tokenFile } = user;
  if (token === undefined && tokenFile === undefined && (cert === undefined || key === undefined))
    throw new Error(`${name}: ${path}: the user of ${current} must have a token, a tokenFile or a client certificate`);
  const file = tokenFile === undefined ? undefined : resolve(dirname(path), tokenFile);
  return {
    url: httpsUrl(name, cluster.server),
    ca: from(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    ...(file !== undefined
      ? { token: async () => (await readFile(file, "utf8")).trim() }
      : token !== undefined && { token: async () => token }),
    ...(cert !== undefined && key !== undefined && { certificate: { cert, key } }),
  };
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
