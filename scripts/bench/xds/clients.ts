// A process of many proxies that speak ADS and do nothing with what they get. Told what to do over IPC by scripts/bench/xds.ts.
import { TypeUrl } from "../../../server/xds/types.ts";
import { adsPath, encodeRequest, type RawResponse, readResponse } from "./raw-discovery.ts";
import { frame, messageHead, openRawStream, type RawStream } from "./raw-stream.ts";

export interface Connect {
  target: string;
  /** Node ids are numbered from here. */
  from: number;
  count: number;
  /** How many resources of each type are everything. */
  expected: Record<string, number>;
  /** What each holds already, name → version: it comes back rather than for the first time. */
  held?: Record<string, Record<string, string>>;
  /** Default: default. */
  namespace?: string;
}
/** `prepare`: to be able to say this, before time is taken. */
export type ToClients =
  | { prepare: Record<string, Record<string, string>> }
  | { connect: Connect }
  | { reset: true }
  | { report: true }
  | { learn: { target: string } };
export interface Report {
  /** Clients that have everything. */
  synced: number;
  /** When the last of them had it; Unix milliseconds. */
  syncedAt: number;
  bytes: number;
  resources: number;
  /** Of these, what they had said they hold in this very version. */
  unchanged: number;
  responses: number;
  /** When the last answer went out; Unix milliseconds. */
  lastAckAt: number;
  errors: string[];
}
export type FromClients = { prepared: true } | { report: Report } | { learned: Record<string, Record<string, string>> };

const types = [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route, TypeUrl.virtualHost];
const none = { bytes: 0, resources: 0, unchanged: 0, responses: 0 };
const totals: Report = { ...none, synced: 0, syncedAt: 0, lastAckAt: 0, errors: [] };
const now = () => performance.timeOrigin + performance.now();

/** All at one address, so that what one holds is what the others hold. */
const nodeOf = (index: number, namespace: string) => ({
  id: `sidecar~10.0.0.1~proxy-${index}.${namespace}~${namespace}.svc.cluster.local`,
  metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: namespace, LABELS: { app: "bench" } },
});

interface Options extends Connect {
  index: number;
  onEverything?(versions: Record<string, Record<string, string>>): void;
}

/** In how many orders what is held is told: each Envoy has its own, but writing them all would be what is measured. */
const orders = 16;

/** What many clients say alike is encoded and framed once. */
interface Said {
  readonly bytes: number;
  readonly frames: readonly Buffer[];
}
const said = new Map<string, Said>();

function sayOnce(key: string, encode: () => Buffer): Said {
  const known = said.get(key);
  if (known) return known;
  const bytes = encode();
  const made = { bytes: bytes.length, frames: frame(bytes) };
  said.set(key, made);
  return made;
}

/** A first request, without its node; of a client that comes back, with what it holds in one of the orders. */
const firstRequest = (typeUrl: string, names: string[], held: Record<string, string>, order: number): Said =>
  sayOnce(`first ${typeUrl} ${order} ${names.length} ${names[0]}`, () => {
    const entries = Object.entries(held)
      .map((entry, i) => ({ entry, place: (i * 7_919 + order * 104_729) % 65_537 }))
      .sort((a, b) => a.place - b.place);
    // Maps are written entry by entry: several messages, one behind the other, are one.
    return Buffer.concat([
      encodeRequest({ typeUrl, resourceNamesSubscribe: names }),
      ...entries.map(({ entry: [name, version] }) => encodeRequest({ initialResourceVersions: { [name]: version } })),
    ]);
  });

/** Wildcards need none. */
const returnNames = (typeUrl: string, held: Record<string, Record<string, string>>): string[] =>
  typeUrl === TypeUrl.endpoint || typeUrl === TypeUrl.route ? Object.keys(held[typeUrl] ?? {}) : [];

const endpointsOf = (names: string[]): Said =>
  sayOnce(`endpoints ${names.length} ${names[0]}`, () =>
    encodeRequest({ typeUrl: TypeUrl.endpoint, resourceNamesSubscribe: names }),
  );

function send(stream: RawStream, { bytes, frames }: Said, before: Buffer = Buffer.alloc(0)): void {
  stream.write([...frame(Buffer.concat([messageHead(before.length + bytes), before])), ...frames]);
}

function answer(stream: RawStream, typeUrl: string, responseNonce: string): void {
  const bytes = encodeRequest({ typeUrl, responseNonce });
  stream.write(frame(Buffer.concat([messageHead(bytes.length), bytes])));
}

/** A proxy's life as Envoy lives it: clusters and listeners first, endpoints of the clusters that came, routes of listeners, then virtual hosts. */
function proxy(options: Options): void {
  const { target, index, expected, held, namespace = "default" } = options;
  const got: Record<string, number> = Object.fromEntries(types.map((type) => [type, 0]));
  const versions: Record<string, Record<string, string>> = Object.fromEntries(types.map((type) => [type, {}]));
  const answered = new Set<string>();
  const opened = new Set<string>();
  let done = false;
  const open = (typeUrl: string, names: string[] = []) => {
    if (opened.has(typeUrl)) return;
    opened.add(typeUrl);
    const node = opened.size === 1 ? encodeRequest({ node: nodeOf(index, namespace) }) : undefined;
    send(stream, firstRequest(typeUrl, names, held?.[typeUrl] ?? {}, held ? index % orders : 0), node);
  };
  const everything = () =>
    held ? answered.size === types.length : types.every((type) => (got[type] ?? 0) >= (expected[type] ?? 1));
  const onMessage = (bytes: Buffer) => {
    const response = readResponse(bytes);
    const { typeUrl, nonce, resources } = response;
    count(response, held?.[typeUrl]);
    answered.add(typeUrl);
    got[typeUrl] = (got[typeUrl] ?? 0) + resources.length;
    if (options.onEverything) {
      versions[typeUrl] = { ...versions[typeUrl], ...Object.fromEntries(resources.map((r) => [r.name, r.version])) };
    }
    answer(stream, typeUrl, nonce);
    totals.lastAckAt = now();
    if (!held) follow(response, open, stream, opened);
    if (done || !everything()) return;
    done = true;
    totals.synced++;
    totals.syncedAt = now();
    options.onEverything?.(versions);
  };
  const onError = (error: Error) => {
    if (totals.errors.length < 5) totals.errors.push(String(error));
  };
  const stream = openRawStream({ target, path: adsPath, onMessage, onError });
  if (held) for (const typeUrl of types) open(typeUrl, returnNames(typeUrl, held));
  else for (const typeUrl of [TypeUrl.cluster, TypeUrl.listener]) open(typeUrl);
}

function count({ bytes, resources, removed }: RawResponse, held: Record<string, string> | undefined): void {
  totals.bytes += bytes;
  totals.resources += resources.length + removed;
  totals.unchanged += resources.filter(({ name, version }) => held?.[name] === version).length;
  totals.responses++;
}

function follow(
  { typeUrl, resources }: RawResponse,
  open: (typeUrl: string, names?: string[]) => void,
  stream: RawStream,
  opened: Set<string>,
): void {
  if (typeUrl === TypeUrl.cluster) {
    const names = resources.map(({ name }) => name).filter((name) => name.startsWith("outbound|"));
    if (names.length === 0) return;
    opened.add(TypeUrl.endpoint);
    send(stream, endpointsOf(names));
  } else if (typeUrl === TypeUrl.listener) open(TypeUrl.route, ["http_proxy"]);
  else if (typeUrl === TypeUrl.route) open(TypeUrl.virtualHost);
}

const tell = (message: FromClients) => process.send?.(message);

process.on("message", (message: ToClients) => {
  if ("prepare" in message) {
    for (const typeUrl of types) {
      const names = returnNames(typeUrl, message.prepare);
      for (let order = 0; order < orders; order++) {
        firstRequest(typeUrl, names, message.prepare[typeUrl] ?? {}, order);
      }
    }
    tell({ prepared: true });
  } else if ("connect" in message) {
    const { connect } = message;
    for (let i = 0; i < connect.count; i++) proxy({ ...connect, index: connect.from + i });
  } else if ("reset" in message) {
    Object.assign(totals, none, { errors: [] });
  } else if ("report" in message) tell({ report: totals });
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
    tell({ learned: last });
  }, 100);
}
