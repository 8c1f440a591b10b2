// A process of many proxies that speak ADS and do nothing with what they get. Told what to do over IPC by scripts/bench/xds.ts.
import { TypeUrl } from "../../../server/xds/types.ts";
import { encodeRequest, openAds, type RawResponse, readResponse } from "./raw-discovery.ts";

export interface Connect {
  target: string;
  /** Node ids are numbered from here. */
  from: number;
  count: number;
  /** How many resources of each type are everything. */
  expected: Record<string, number>;
  /** What each holds already, name → version: it comes back rather than for the first time. */
  held?: Record<string, Record<string, string>>;
}
export type ToClients = { connect: Connect } | { reset: true } | { report: true } | { learn: { target: string } };
export interface Report {
  /** Clients that have everything. */
  synced: number;
  /** When the last of them had it; Unix milliseconds. */
  syncedAt: number;
  bytes: number;
  resources: number;
  responses: number;
  /** When the last answer went out; Unix milliseconds. */
  lastAckAt: number;
  errors: string[];
}
export type FromClients = { report: Report } | { learned: Record<string, Record<string, string>> };

const types = [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route, TypeUrl.virtualHost];
const totals: Report = { synced: 0, syncedAt: 0, bytes: 0, resources: 0, responses: 0, lastAckAt: 0, errors: [] };
const now = () => performance.timeOrigin + performance.now();

/** All at one address, so that what one holds is what the others hold. */
const nodeOf = (index: number) => ({
  id: `sidecar~10.0.0.1~proxy-${index}.default~default.svc.cluster.local`,
  metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default", LABELS: { app: "bench" } },
});

interface Options extends Connect {
  index: number;
  onEverything?(versions: Record<string, Record<string, string>>): void;
}

/** In how many orders what is held is told: each Envoy has its own, but writing them all would be what is measured. */
const orders = 16;
const returns = new Map<string, Buffer>();

/** A first request of a client that comes back, without its node. */
function returnRequest(typeUrl: string, names: string[], held: Record<string, string>, order: number): Buffer {
  const key = `${typeUrl} ${order}`;
  const known = returns.get(key);
  if (known) return known;
  const entries = Object.entries(held)
    .map((entry, i) => ({ entry, place: (i * 7_919 + order * 104_729) % 65_537 }))
    .sort((a, b) => a.place - b.place);
  // Maps are written entry by entry: several messages, one behind the other, are one.
  const bytes = Buffer.concat([
    encodeRequest({ typeUrl, resourceNamesSubscribe: names }),
    ...entries.map(({ entry: [name, version] }) => encodeRequest({ initialResourceVersions: { [name]: version } })),
  ]);
  returns.set(key, bytes);
  return bytes;
}

const encoded = new Map<string, Buffer>();
/** The same lists of names are sent by every client: they are written once. */
function endpointRequest(names: string[]): Buffer {
  const key = `${names.length} ${names[0]}`;
  const known = encoded.get(key);
  if (known) return known;
  const bytes = encodeRequest({ typeUrl: TypeUrl.endpoint, resourceNamesSubscribe: names });
  encoded.set(key, bytes);
  return bytes;
}

/** A proxy's life as Envoy lives it: clusters and listeners first, endpoints of the clusters that came, routes of listeners, then virtual hosts. */
function proxy(options: Options): void {
  const { target, index, expected, held } = options;
  const client = openAds(target);
  const stream = client.open();
  const got: Record<string, number> = Object.fromEntries(types.map((type) => [type, 0]));
  const versions: Record<string, Record<string, string>> = Object.fromEntries(types.map((type) => [type, {}]));
  const answered = new Set<string>();
  const opened = new Set<string>();
  let done = false;
  const open = (typeUrl: string, names: string[] = []) => {
    if (opened.has(typeUrl)) return;
    opened.add(typeUrl);
    const request = returnRequest(typeUrl, names, held?.[typeUrl] ?? {}, held ? index % orders : 0);
    stream.write(opened.size === 1 ? Buffer.concat([encodeRequest({ node: nodeOf(index) }), request]) : request);
  };
  const everything = () =>
    held ? answered.size === types.length : types.every((type) => (got[type] ?? 0) >= (expected[type] ?? 1));
  stream.on("data", (bytes: Buffer) => {
    const response = readResponse(bytes);
    const { typeUrl, nonce, resources } = response;
    count(response);
    answered.add(typeUrl);
    got[typeUrl] = (got[typeUrl] ?? 0) + resources.length;
    if (options.onEverything) {
      versions[typeUrl] = { ...versions[typeUrl], ...Object.fromEntries(resources.map((r) => [r.name, r.version])) };
    }
    stream.write(encodeRequest({ typeUrl, responseNonce: nonce }));
    totals.lastAckAt = now();
    if (!held) follow(response, open, stream, opened);
    if (done || !everything()) return;
    done = true;
    totals.synced++;
    totals.syncedAt = now();
    options.onEverything?.(versions);
  });
  stream.on("error", (error) => {
    if (totals.errors.length < 5) totals.errors.push(String(error));
  });
  open(TypeUrl.cluster);
  open(TypeUrl.listener);
  if (held) {
    open(TypeUrl.endpoint, Object.keys(held[TypeUrl.endpoint] ?? {}));
    open(TypeUrl.route, Object.keys(held[TypeUrl.route] ?? {}));
    open(TypeUrl.virtualHost);
  }
}

function count({ bytes, resources, removed }: RawResponse): void {
  totals.bytes += bytes;
  totals.resources += resources.length + removed;
  totals.responses++;
}

function follow(
  { typeUrl, resources }: RawResponse,
  open: (typeUrl: string, names?: string[]) => void,
  stream: { write(bytes: Buffer): unknown },
  opened: Set<string>,
): void {
  if (typeUrl === TypeUrl.cluster) {
    const names = resources.map(({ name }) => name).filter((name) => name.startsWith("outbound|"));
    if (names.length === 0) return;
    opened.add(TypeUrl.endpoint);
    stream.write(endpointRequest(names));
  } else if (typeUrl === TypeUrl.listener) open(TypeUrl.route, ["http_proxy"]);
  else if (typeUrl === TypeUrl.route) open(TypeUrl.virtualHost);
}

const send = (message: FromClients) => process.send?.(message);

process.on("message", (message: ToClients) => {
  if ("connect" in message) {
    const { connect } = message;
    for (let i = 0; i < connect.count; i++) proxy({ ...connect, index: connect.from + i });
  } else if ("reset" in message) {
    Object.assign(totals, { bytes: 0, resources: 0, responses: 0, errors: [] });
  } else if ("report" in message) send({ report: totals });
  else learn(message.learn.target);
});
process.on("disconnect", () => process.exit());

/** One proxy that takes everything, until nothing more comes for a second: what "everything" is. */
function learn(target: string): void {
  let last: Record<string, Record<string, string>> | undefined;
  proxy({
    target,
    from: 0,
    count: 1,
    index: 99_999,
    expected: {},
    onEverything: (versions) => {
      last = versions;
    },
  });
  const watch = setInterval(() => {
    if (!last || now() - totals.lastAckAt < 1_000) return;
    clearInterval(watch);
    Object.assign(totals, { synced: 0, syncedAt: 0 });
    send({ learned: last });
  }, 100);
}
