import { isIP } from "node:net";
import { parseSpiffeUri } from "../lib/spiffe.ts";
import { clean, type Peer, parsePeer } from "../wire/peer.ts";
import type { ReporterNode } from "./peer.ts";
import { unknownPeer } from "./record.ts";

export interface PeerBookLimits {
  /** Names that nobody but a header vouches for: of callers without a certificate, and of each certificate's identity. */
  maxClaims: number;
  maxClaimsOfIdentity: number;
  /** How long such a name holds its place after it was last seen, in milliseconds. */
  claimMs: number;
}

const defaultLimits: PeerBookLimits = { maxClaims: 64, maxClaimsOfIdentity: 16, claimMs: 3_600_000 };
/** Proxies and endpoints that are remembered; a mesh of more begins to learn them anew. */
const maxKnown = 50_000;

/** What an inbound log entry says of who called. */
export interface Caller {
  /** The header `x-limpid-peer`; anybody can write it. Empty: none. */
  claim: string;
  /** The peer showed a certificate … */
  mtls: boolean;
  /** … with this URI; empty: with none. */
  uri: string;
  ip: string;
}

/**
 * Who is behind a call. A certificate says which account it is; the header says which of the account's workloads, and is believed so far as
 * that goes: it may name a workload that the mesh knows to be of that account, or another version of an app of it. Without a certificate
 * the header may name any workload that a proxy of the mesh says it is. What nobody vouches for is believed up to a few names, since a
 * workload's first call may be told of before the workload itself; so that a stranger can't fill the graph.
 */
export class PeerBook {
  /** Callers of whose header nothing was believed. */
  disbelieved = 0;
  #workloads = new Map<string, { peer: Peer; account: string }>();
  #byAccount = new Map<string, Peer[]>();
  #accountsOfApp = new Map<string, Set<string>>();
  #endpoints = new Map<string, Peer>();
  /** By address without port; null where several workloads share one. */
  #addresses = new Map<string, Peer | null>();
  readonly #claims = new Map<string, Map<string, number>>();
  readonly #parsed = new Map<string, Peer | undefined>();
  readonly #limits: PeerBookLimits;

  constructor(limits: Partial<PeerBookLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** A proxy told who it is. */
  addProxy({ self, serviceAccount, ip }: ReporterNode): void {
    if (this.#workloads.size >= maxKnown) this.#forget();
    if (isTelling(ip)) this.#addAddress(ip, self);
    const key = workloadKey(self);
    const known = this.#workloads.get(key);
    if (known?.account === serviceAccount && samePeer(known.peer, self)) return;
    if (known !== undefined) this.#remove(known);
    this.#workloads.set(key, { peer: self, account: serviceAccount });
    const account = `${self.namespace}/${serviceAccount}`;
    this.#byAccount.set(account, [...(this.#byAccount.get(account) ?? []), self]);
    const app = `${self.namespace}/${self.app}`;
    this.#accountsOfApp.set(app, (this.#accountsOfApp.get(app) ?? new Set()).add(serviceAccount));
  }

  /** An endpoint as the control plane named it. */
  addEndpoint(address: string, peer: Peer): void {
    if (this.#endpoints.get(address) === peer) return;
    if (this.#endpoints.size >= maxKnown) this.#forget();
    this.#endpoints.set(address, peer);
    const ip = address.slice(0, address.lastIndexOf(":"));
    if (isTelling(ip)) this.#addAddress(ip, peer);
  }

  /** Who listens there, as far as anybody said; with or without the port. */
  at(address: string): Peer | undefined {
    const exact = this.#endpoints.get(address);
    if (exact !== undefined) return exact;
    const ip = isIP(address) ? address : address.slice(0, Math.max(0, address.lastIndexOf(":")));
    return this.#addresses.get(ip) ?? undefined;
  }

  callerOf({ claim, mtls, uri, ip }: Caller, nowMs: number): Peer {
    const claimed = this.#parse(claim);
    if (mtls) return this.#certified(uri, claimed, nowMs);
    if (claimed === undefined) return this.at(ip) ?? unknownPeer;
    const known = this.#workloads.get(workloadKey(claimed));
    if (known !== undefined) return known.peer;
    return this.#believe("", claimed, this.#limits.maxClaims, nowMs) ?? unknownPeer;
  }

  #certified(uri: string, claimed: Peer | undefined, nowMs: number): Peer {
    const identity = parseSpiffeUri(uri);
    if (identity === undefined) return unknownPeer;
    const namespace = clean(identity.namespace);
    const account = clean(identity.serviceAccount);
    const ofAccount = this.#byAccount.get(`${namespace}/${account}`) ?? [];
    if (claimed?.namespace === namespace) {
      const known = this.#workloads.get(workloadKey(claimed));
      if (known !== undefined && (known.account === account || known.account === "")) return known.peer;
      if (known === undefined && this.#mayBe(claimed, account, ofAccount)) {
        const believed = this.#believe(uri, claimed, this.#limits.maxClaimsOfIdentity, nowMs);
        if (believed !== undefined) return believed;
      }
    }
    if (claimed !== undefined) this.disbelieved++;
    const [first, ...others] = ofAccount;
    if (first !== undefined && others.length === 0) return first;
    const app = first !== undefined && others.every((peer) => peer.app === first.app) ? first.app : account;
    return { workload: "", namespace, app, version: "" };
  }

  /** An app that the account is known for, or, of an account that nobody knows yet, one that is not known to be another's. */
  #mayBe({ namespace, app }: Peer, account: string, ofAccount: readonly Peer[]): boolean {
    if (ofAccount.length > 0) return ofAccount.some((peer) => peer.app === app);
    const accounts = this.#accountsOfApp.get(`${namespace}/${app}`);
    return accounts === undefined || accounts.has(account);
  }

  /** Undefined once too many names came from there. */
  #believe(scope: string, peer: Peer, most: number, nowMs: number): Peer | undefined {
    let claims = this.#claims.get(scope);
    if (claims === undefined) {
      if (this.#claims.size >= maxKnown) this.#claims.clear();
      claims = new Map();
      this.#claims.set(scope, claims);
    }
    const name = `${workloadKey(peer)}/${peer.app}/${peer.version}`;
    if (!claims.has(name) && claims.size >= most) {
      for (const [old, seenMs] of claims) if (nowMs - seenMs > this.#limits.claimMs) claims.delete(old);
      if (claims.size >= most) {
        if (scope === "") this.disbelieved++;
        return undefined;
      }
    }
    claims.set(name, nowMs);
    return peer;
  }

  /** Headers are few and come again and again: each text has one object. */
  #parse(claim: string): Peer | undefined {
    if (claim === "") return undefined;
    if (this.#parsed.has(claim)) return this.#parsed.get(claim);
    if (this.#parsed.size >= 10_000) this.#parsed.clear();
    const peer = parsePeer(claim);
    this.#parsed.set(claim, peer);
    return peer;
  }

  #addAddress(ip: string, peer: Peer): void {
    const known = this.#addresses.get(ip);
    if (known === undefined) this.#addresses.set(ip, peer);
    else if (known !== null && workloadKey(known) !== workloadKey(peer)) this.#addresses.set(ip, null);
  }

  #remove({ peer, account }: { peer: Peer; account: string }): void {
    const key = `${peer.namespace}/${account}`;
    this.#byAccount.set(key, this.#byAccount.get(key)?.filter((each) => each !== peer) ?? []);
  }

  #forget(): void {
    this.#workloads = new Map();
    this.#byAccount = new Map();
    this.#accountsOfApp = new Map();
    this.#endpoints = new Map();
    this.#addresses = new Map();
  }
}

const workloadKey = ({ namespace, workload, app }: Peer): string => `${namespace}/${workload || app}`;

const samePeer = (a: Peer, b: Peer): boolean =>
  a.workload === b.workload && a.namespace === b.namespace && a.app === b.app && a.version === b.version;

/** Everybody on a machine has 127.0.0.1: it tells nothing. */
const isTelling = (ip: string): boolean => isIP(ip) !== 0 && ip !== "127.0.0.1" && ip !== "::1" && ip !== "0.0.0.0";
