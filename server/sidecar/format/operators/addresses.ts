import { isIP } from "node:net";
import { getHeader } from "../../http/headers.ts";
import type { RequestRecord, UpstreamHost } from "../../record.ts";
import { type Operator, type Operators, plain, some } from "./operator.ts";

const port = (value: number): number | undefined => (value === 0 ? undefined : value);

const hostPort = (host: string, value: number): string | undefined =>
  host === "" ? undefined : `${host.includes(":") ? `[${host}]` : host}:${value}`;

/** Of `ip:port` as sockets tell it, without brackets. */
const localHost = (local: string): string => local.slice(0, Math.max(0, local.lastIndexOf(":")));
const localPort = (local: string): number => Number(local.slice(local.lastIndexOf(":") + 1));

/** Who the client is: the connection's other end or, away from the edge, the last that x-forwarded-for names; of that one no port is known. */
function client({ atEdge, forwardedFor, downstreamRemoteAddress, downstreamRemotePort }: RequestRecord) {
  if (!atEdge && forwardedFor !== "") {
    const last = forwardedFor.slice(forwardedFor.lastIndexOf(",") + 1).trim();
    const version = isIP(last);
    if (version !== 0) return { address: version === 6 ? compressed(ipv6(last)) : last, port: 0 };
  }
  return { address: downstreamRemoteAddress, port: downstreamRemotePort };
}

/** `10.1.2.3` under 24 is `10.1.2.0/24`. */
function masked(address: string, length: number): string | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  if (version === 4) return `${ipv4(address.split(".").map(Number), length)}/${Math.min(length, 32)}`;
  const groups = ipv6(address).map((group, i) => group & keptBits(length - i * 16, 16));
  return `${compressed(groups)}/${Math.min(length, 128)}`;
}

const keptBits = (count: number, width: number): number =>
  count >= width ? 2 ** width - 1 : count <= 0 ? 0 : 2 ** width - 2 ** (width - count);

const ipv4 = (bytes: readonly number[], length: number): string =>
  bytes.map((byte, i) => byte & keptBits(length - i * 8, 8)).join(".");

function ipv6(address: string): number[] {
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const groups = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** RFC 5952: the longest run of zeros left out. */
function compressed(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(":");
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length);
  const [run] = runs;
  if (run === undefined) return text;
  const before = text.slice(0, run.index);
  const after = text.slice(run.index + run[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}

const remoteWithoutPort = (argument: string | undefined): Operator | undefined => {
  if (argument === undefined) return (record) => some(client(record).address);
  if (!/^\d{1,3}$/.test(argument)) return undefined;
  const length = Number(argument);
  return (record) => masked(client(record).address, length);
};

const directWithoutPort = (argument: string | undefined): Operator | undefined => {
  if (argument === undefined) return (record) => some(record.downstreamRemoteAddress);
  if (!/^\d{1,3}$/.test(argument)) return undefined;
  const length = Number(argument);
  return (record) => masked(record.downstreamRemoteAddress, length);
};

const nameOf = ({ hostname, address }: UpstreamHost): string => hostname || address;
const fullNameOf = (host: UpstreamHost): string | undefined => host.hostname || hostPort(host.address, host.port);

const attempted =
  (read: (host: UpstreamHost) => string | undefined): Operator =>
  ({ earlierHosts = [], upstreamHost }) =>
    upstreamHost && [...new Set([...earlierHosts, upstreamHost].map(read))].join(",");

export const addressOperators: Operators = {
  UPSTREAM_HOST: plain((record) => hostPort(record.upstreamRemoteAddress, record.upstreamRemotePort)),
  UPSTREAM_HOST_NAME: plain(({ upstreamHost: host }) => host && fullNameOf(host)),
  UPSTREAM_HOST_NAME_WITHOUT_PORT: plain(({ upstreamHost: host }) => host && nameOf(host)),
  UPSTREAM_HOSTS_ATTEMPTED: plain(attempted(({ address, port: at }) => hostPort(address, at))),
  UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT: plain(attempted(({ address }) => address)),
  UPSTREAM_HOST_NAMES_ATTEMPTED: plain(attempted(fullNameOf)),
  UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT: plain(attempted(nameOf)),
  UPSTREAM_REMOTE_ADDRESS: plain((record) => hostPort(record.upstreamRemoteAddress, record.upstreamRemotePort)),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: plain((record) => some(record.upstreamRemoteAddress)),
  // Only addresses inside the proxy have such an id, and of those there are none here.
  UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID: plain((record) => (record.upstreamRemoteAddress === "" ? undefined : "")),
  UPSTREAM_REMOTE_PORT: plain((record) => port(record.upstreamRemotePort)),
  UPSTREAM_LOCAL_ADDRESS: plain(({ upstreamLocalAddress: local }) => hostPort(localHost(local), localPort(local))),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: plain(({ upstreamLocalAddress }) => some(localHost(upstreamLocalAddress))),
  UPSTREAM_LOCAL_PORT: plain(({ upstreamLocalAddress }) => port(localPort(upstreamLocalAddress))),
  DOWNSTREAM_REMOTE_ADDRESS: plain((record) => hostPort(client(record).address, client(record).port)),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: remoteWithoutPort,
  DOWNSTREAM_REMOTE_PORT: plain((record) => client(record).port),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: plain((record) => direct(record)),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: directWithoutPort,
  DOWNSTREAM_DIRECT_REMOTE_PORT: plain((record) => port(record.downstreamRemotePort)),
  ...downstreamLocal("DOWNSTREAM_LOCAL"),
  ...downstreamLocal("DOWNSTREAM_DIRECT_LOCAL"),
  CONNECTION_ID: plain(({ connection }) => connection && idOf(connection)),
  REQUESTED_SERVER_NAME: (argument) => (argument === undefined ? serverName : serverNameOr(argument)),
};

function direct({ downstreamRemoteAddress, downstreamRemotePort }: RequestRecord): string | undefined {
  return hostPort(downstreamRemoteAddress, downstreamRemotePort);
}

function downstreamLocal(prefix: string): Operators {
  return {
    [`${prefix}_ADDRESS`]: plain((record) => hostPort(record.downstreamLocalAddress, record.downstreamLocalPort)),
    [`${prefix}_ADDRESS_WITHOUT_PORT`]: (argument) => {
      if (argument === undefined) return (record) => some(record.downstreamLocalAddress);
      if (!/^\d{1,3}$/.test(argument)) return undefined;
      const length = Number(argument);
      return (record) => masked(record.downstreamLocalAddress, length);
    },
    [`${prefix}_ADDRESS_ENDPOINT_ID`]: plain(() => ""),
    [`${prefix}_PORT`]: plain((record) => port(record.downstreamLocalPort)),
  };
}

/** Numbers are given when they are asked for. */
const ids = new WeakMap<object, number>();
let lastId = 0;

function idOf(connection: object): number {
  const known = ids.get(connection);
  if (known !== undefined) return known;
  ids.set(connection, ++lastId);
  return lastId;
}

const serverName: Operator = ({ downstreamTls }) => some(downstreamTls?.serverName);

/** Before a route rewrote it, or after. */
function hostSource(source: string | undefined): Operator | undefined {
  const original: Operator = ({ requestHeaders }) => withoutPort(getHeader(requestHeaders, "x-envoy-original-host"));
  const host: Operator = ({ authority }) => withoutPort(authority);
  switch (source) {
    case "ORIG":
      return original;
    case "HOST":
      return host;
    case undefined:
    case "ORIG_OR_HOST":
      return (record) => original(record) ?? host(record);
    default:
      return undefined;
  }
}

const withoutPort = (authority: string | undefined): string | undefined => some(authority?.replace(/:\d+$/, ""));

const serverNameOr = (argument: string): Operator | undefined => {
  const [order = "", source] = argument.split(":");
  const host = hostSource(source);
  if (host === undefined) return undefined;
  switch (order) {
    case "SNI_ONLY":
      return serverName;
    case "SNI_FIRST":
      return (record) => serverName(record) ?? host(record);
    case "HOST_FIRST":
      return (record) => host(record) ?? serverName(record);
    default:
      return undefined;
  }
};
