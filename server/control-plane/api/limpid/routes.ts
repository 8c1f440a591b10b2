import { told } from "../../../contract/index.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse, ApiRouter } from "../router.ts";
import { badRequest, saidError } from "../status-error.ts";
import { badgesThen } from "./badges-then.ts";
import { actOnCanary, getCanaries, postCanary } from "./canaries.ts";
import { deleteFault, getFaults, postFault } from "./faults.ts";
import { listGateways } from "./gateways.ts";
import { addHealth } from "./health.ts";
import { listChanges, undoChange } from "./history.ts";
import { addIdentityRoutes } from "./identities.ts";
import { exportMesh, restoreMesh } from "./mesh.ts";
import { prometheusTargets } from "./prometheus-targets.ts";
import { proxyStarts } from "./proxy-starts.ts";
import { getRouting, putWeights } from "./routing.ts";
import { maxTransactionBytes } from "./transaction-request.ts";
import { runTransaction } from "./transactions.ts";
import { addUse } from "./use.ts";
import { listWorkloads } from "./workloads.ts";

/** Limpid's own endpoints, with the contracts of server/contract. */
export function addLimpidRoutes(router: ApiRouter, context: ApiContext): void {
  const add = (
    method: string,
    pattern: string,
    verb: (context: ApiContext, request: ApiRequest) => Promise<ApiResponse>,
  ): void => router.add(method, pattern, (request) => verb(context, request));
  add("GET", "/limpid/v1/services", async () => ({ status: 200, body: await context.services() }));
  add("GET", "/limpid/v1/badges", badgesThen);
  add("GET", "/limpid/v1/gateways", listGateways);
  add("GET", "/limpid/v1/workloads", listWorkloads);
  add("GET", "/limpid/v1/services/:namespace/:name/routing", getRouting);
  add("PUT", "/limpid/v1/services/:namespace/:name/routing/weights", putWeights);
  add("GET", "/limpid/v1/faults", getFaults);
  add("POST", "/limpid/v1/faults", postFault);
  add("DELETE", "/limpid/v1/faults/:namespace/:virtualService/:id", deleteFault);
  add("GET", "/limpid/v1/canaries", getCanaries);
  add("POST", "/limpid/v1/canaries", postCanary);
  add("POST", "/limpid/v1/canaries/:namespace/:name/:action", actOnCanary);
  add("GET", "/limpid/v1/changes", listChanges);
  add("POST", "/limpid/v1/changes/:revision/undo", undoChange);
  add("GET", "/limpid/v1/mesh", exportMesh);
  add("POST", "/limpid/v1/mesh/restore", restoreMesh);
  router.add("POST", "/limpid/v1/transactions", (request) => runTransaction(context, request), maxTransactionBytes);
  add("GET", "/limpid/v1/pushes/:revision", getPush);
  add("GET", "/limpid/v1/push-latency", async () => ({ status: 200, body: context.pushes.latency() }));
  add("GET", "/limpid/v1/proxies", async () => ({ status: 200, body: { proxies: context.proxies.list() } }));
  add("DELETE", "/limpid/v1/proxies/:id", forgetProxy);
  add("POST", "/limpid/v1/proxy-starts", proxyStarts);
  add("GET", "/limpid/v1/prometheus/targets", async () => ({
    status: 200,
    body: prometheusTargets(context.proxies.list()),
  }));
  addIdentityRoutes(router, context);
  addUse(router, context);
  addHealth(router, context);
  addMetrics(router, context);
}

async function forgetProxy(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const { id = "" } = request.params;
  const outcome = context.proxies.forget(id);
  if (outcome === "unknown") throw saidError(404, "NotFound", told("no-proxy", { id }));
  if (outcome === "connected") {
    throw saidError(409, "Conflict", told("proxy-connected", { id }));
  }
  return { status: 200, body: { proxies: context.proxies.list() } };
}

async function getPush(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const wanted = request.params.revision ?? "";
  if (wanted !== "latest" && !/^\d{1,15}$/.test(wanted))
    throw badRequest('a push is named by its revision or "latest"');
  const push = context.pushes.get(wanted === "latest" ? wanted : Number(wanted));
  if (push === undefined) throw saidError(404, "NotFound", told("no-push", { revision: wanted }));
  return { status: 200, body: push };
}

function addMetrics(router: ApiRouter, context: ApiContext): void {
  router.add("GET", "/metrics", async () => ({
    stream: async (response) => {
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(context.metrics());
    },
  }));
}
