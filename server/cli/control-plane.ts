import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { createAccess } from "../access/access.ts";
import { ensureMachineToken } from "../access/machine-token.ts";
import { openBootstrapAuthority } from "../ca/bootstrap-authority.ts";
import { consoleCertificate } from "../ca/console-authority.ts";
import { openLiveAuthority } from "../ca/live-authority.ts";
import { openSealer } from "../ca/sealer.ts";
import { kinds } from "../config/kinds/index.ts";
import { apiCallers } from "../control-plane/access/api-callers.ts";
import { createConfigApi } from "../control-plane/api/config-api.ts";
import { indexKinds } from "../control-plane/api/kind-index.ts";
import { emptyKinds } from "../control-plane/api/kubernetes/empty-kinds.ts";
import { createCanaryController } from "../control-plane/canary/controller.ts";
import { dashboardSignals } from "../control-plane/canary/signals.ts";
import { createControlPlane } from "../control-plane/control-plane.ts";
import { createFaultFuse } from "../control-plane/fault-fuse.ts";
import { apiServerCall, apiServerOf, audiencesOf } from "../control-plane/identity/kubernetes-api.ts";
import { createTokenReviewer } from "../control-plane/identity/token-review.ts";
import { knownProxiesFile } from "../control-plane/known-proxies-file.ts";
import { registrationsFile } from "../control-plane/registration/registrations-file.ts";
import { sealedStore } from "../control-plane/secrets/sealed-store.ts";
import { findEnvoy } from "../fleet/envoy.ts";
import { meshPorts } from "../fleet/ports.ts";
import { parseAllowedHosts } from "../lib/allowed-host.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { parseGoDuration } from "../lib/go-duration.ts";
import { jsonFile } from "../lib/json-file.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { sendMetrics } from "../lib/otlp-metrics.ts";
import { trustDomainOf } from "../lib/trust-domain.ts";
import { version } from "../lib/version.ts";
import { openAccessStore } from "../store/open-access-store.ts";
import { openConfigStore } from "../store/open-config-store.ts";
import { parseSampling } from "../telemetry/sampling-settings.ts";
import type { TranslateOptions } from "../translate/options.ts";
import { onShutdown } from "./leash.ts";
import { givenCertificate, isLoopbackAddress, listenAddress, listenAddresses } from "./listen.ts";
import { type CommonOptions, failWith, makeDataFolder, packageRoot, portOffsetOf } from "./options.ts";
import { rehearsals } from "./rehearsals.ts";

/** Config store, mesh model, translation, xDS and the config API, in one process on loopback. */
export async function runControlPlane(options: CommonOptions): Promise<void> {
  // Else V8 looks through the whole mesh after each 64 MB of messages that came or went, however large the heap is: when 2,000 proxies come
  // back that was half of all work (docs/benchmarks.md, "Many proxies").
  setFlagsFromString("--external-memory-accounted-in-global-limit");
  try {
    const logger = createLogger("control-plane");
    const ports = meshPorts(portOffsetOf(options));
    const data = makeDataFolder(options);
    const address = listenAddress(process.env);
    const addresses = listenAddresses(address);
    const hosts = parseAllowedHosts(process.env.LIMPID_ALLOWED_HOSTS);
    const { LIMPID_CONFIG_DATABASE: database, LIMPID_CONFIG_DIRECTORY: folder } = process.env;
    const store = await openConfigStore({ data, root: packageRoot, database, folder, logger });
    const dashboardToken = process.env.LIMPID_DASHBOARD ? process.env.LIMPID_DASHBOARD_TOKEN : ensureMachineToken(data);
    const trustDomain = trustDomainOf(process.env);
    const authority = await openLiveAuthority(join(data, "ca"), { clock, trustDomain, logger });
    const bootstrap = await openBootstrapAuthority(data, { clock, trustDomain });
    const sealer = await openSealer(process.env.LIMPID_SECRETS_KEY_FILE || join(data, "secrets.key"));
    const counters = await openCounters(process.env.LIMPID_RATE_LIMIT_REDIS, logger);
    const controlPlane = createControlPlane({
      store,
      version,
      meshOptions: { trustDomain },
      sealer,
      xdsPort: ports.xds,
      xdsTls: { port: ports.xdsTls, hosts: addresses },
      join: { port: ports.join, hosts: addresses },
      identityFiles: {
        tokens: jsonFile(join(data, "join-tokens.json")),
        register: jsonFile(join(data, "issued-certificates.json")),
      },
      authority,
      hosts: !["0.0.0.0", "::"].includes(address) ? [...hosts, address] : hosts,
      tokenReviewer: kubernetesTokens(process.env, logger),
      bootstrapRoots: bootstrap.rootPem,
      logger,
      clock,
      rateLimitCounters: counters,
      knownProxies: knownProxiesFile(join(data, "known-proxies.json"), logger),
      registrations: registrationsFile(jsonFile(join(data, "registered-workloads.json"))),
      registrationGraceMs: graceOf(process.env.LIMPID_WORKLOAD_ENTRY_GRACE_PERIOD),
      keepLoads: { send: (loads) => sendMetrics(ports.collectorHttp, loads) },
      translateOptions: tracingOf(process.env),
      rehearse: rehearsals(findEnvoy(join(packageRoot, ".build"))),
    });
    const canaries = createCanaryController({
      context: { store, services: controlPlane.services, kinds: indexKinds(kinds, emptyKinds), clock, logger },
      signals: dashboardSignals(
        process.env.LIMPID_DASHBOARD || `http://127.0.0.1:${ports.dashboard}`,
        () => dashboardToken,
      ),
    });
    const access = createAccess({
      store: await openAccessStore({ data, root: packageRoot, database }),
      clock,
      logger,
      machineToken: ensureMachineToken(data),
    });
    const api = createConfigApi({
      store: sealedStore(store, sealer),
      allowedHosts: isLoopbackAddress(address) ? hosts : [...hosts, address],
      callers: apiCallers(access),
      note: access.note,
      kinds,
      clock,
      logger,
      services: controlPlane.services,
      mesh: controlPlane.mesh,
      gatewayProxies: controlPlane.gatewayProxies,
      registrations: controlPlane.registrations,
      pushes: controlPlane.pushes,
      proxies: controlPlane.proxies,
      use: controlPlane,
      ready: controlPlane.ready,
      checks: controlPlane.checks,
      liveCanary: canaries.live,
      identities: controlPlane.identities,
      metrics: () => controlPlane.metrics.text(),
      validated: controlPlane.validated,
    });
    const fuse = createFaultFuse({ store, clock, logger });
    await controlPlane.start();
    await api.listen("127.0.0.1", ports.configApi);
    const certificate = givenCertificate(process.env) ?? (await consoleCertificate(data, [...hosts, address], clock));
    for (const each of addresses) {
      await api.listenGuarded(each, ports.configApiTls, {
        ...certificate,
        clientRoots: authority.rootPem,
        onRoots: (renew) => authority.onChange?.(() => renew(authority.rootPem)),
      });
    }
    if (!isLoopbackAddress(address))
      logger.info({ address, port: ports.configApiTls }, "the config API is served to other machines, over TLS");
    await fuse.start();
    await canaries.start();
    onShutdown(async () => {
      await fuse.close();
      await canaries.close();
      await api.close();
      authority.stop();
      await controlPlane.stop();
      await counters?.close();
      await access.close();
      await store.close();
    });
  } catch (error) {
    failWith(error);
  }
}

/** Service-account tokens, by a Kubernetes API server; undefined when none is named. Throws an Error in a sentence. */
function kubernetesTokens(env: NodeJS.ProcessEnv, logger: Logger) {
  const server = apiServerOf(env);
  if (server === undefined) return undefined;
  const audiences = audiencesOf(env);
  logger.info({ server: server.url.origin, audiences }, "tokens of Kubernetes are taken");
  return createTokenReviewer({ call: apiServerCall(server), audiences, clock, logger });
}

/** How long a workload that registered itself outlives its proxy's stream, in milliseconds. Throws an Error in a sentence. */
function graceOf(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const ms = parseGoDuration(text);
  if (ms !== undefined && ms >= 0 && ms <= 86_400_000) return ms;
  throw new Error(`LIMPID_WORKLOAD_ENTRY_GRACE_PERIOD must be a duration up to 24h, such as 10s, not ${text}`);
}

/** Several replicas count in one Redis; without one, each for itself. */
async function openCounters(url: string | undefined, logger: Logger) {
  if (!url) return undefined;
  if (!/^rediss?:\/\//.test(url)) {
    throw new Error("LIMPID_RATE_LIMIT_REDIS must be the address of a Redis, such as redis://redis.example.com:6379/0");
  }
  const { RedisCounters } = await import("../ratelimit/redis-counters.ts"); // few need its driver
  return new RedisCounters({ url, logger });
}

/** A collector that samples must see every trace: it can't keep the one with an error of those that proxies don't record. */
const tracingOf = ({ LIMPID_TRACE_SAMPLING }: NodeJS.ProcessEnv): Partial<TranslateOptions> =>
  parseSampling(LIMPID_TRACE_SAMPLING) ? { tracingSamplingPercent: 100 } : {};
