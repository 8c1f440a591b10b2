/** A workload and the canonical service it belongs to; a part that is not known is empty. */
export interface Peer {
  workload: string;
  namespace: string;
  app: string;
  version: string;
}

/** The request header by which a proxy tells the destination's proxy who calls. Any client can write it: it is a claim, see telemetry's PeerBook. */
export const peerHeader = "x-limpid-peer";

/** `<workload>;<namespace>;<canonical service>;<canonical revision>;<cluster id>`: the header, and endpoint metadata. */
export const formatPeer = (peer: Peer, clusterId: string): string =>
  [peer.workload, peer.namespace, peer.app, peer.version, clusterId].join(";");

/** The inverse of {@link formatPeer}; undefined when the text names nobody. Control characters are left out, lengths bounded. */
export function parsePeer(text: string | undefined): Peer | undefined {
  if (!text) return undefined;
  const [workload = "", namespace = "", app = "", version = ""] = text.split(";");
  if (app === "" && workload === "") return undefined;
  return {
    workload: clean(workload),
    namespace: clean(namespace),
    app: clean(app || workload),
    version: clean(version || "latest"),
  };
}

/**
 * Names come from other processes and from headers: control characters out, length bounded. A half of a character that is left, by the cut or by the sender, is no text
 * that a database gives back as it was.
 */
export function clean(text: string, maxLength = 253): string {
  const short = text.length > maxLength ? text.slice(0, maxLength) : text;
  return unclean.test(short) ? short.replace(controls, "").toWellFormed() : short;
}

/** Control characters, and halves of pairs that stand alone. */
const unclean = /[\p{Cc}\p{Cs}]/u;
const controls = /\p{Cc}/gu;
