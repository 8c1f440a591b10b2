import type { GatewayView, ServerCertificate } from "./gateways.ts";

const dayMs = 86_400_000;
/** From when on an end is near: as kubectl is warned of it, and a week before it hurts. */
const soonMs = 30 * dayMs;
const lateMs = 7 * dayMs;

type Tone = "plain" | "warn" | "bad";

/** `bad`: nobody is served, or soon will not be. */
export function certificateTone({ found, notBeforeMs, notAfterMs }: ServerCertificate, now: number): Tone {
  if (!found) return "bad";
  if (notAfterMs === null) return "plain";
  const left = notAfterMs - now;
  // One that lives for days only is renewed by somebody all the time: of it a quarter is what counts.
  const life = notBeforeMs === null ? Number.POSITIVE_INFINITY : notAfterMs - notBeforeMs;
  if (left <= Math.min(lateMs, life / 8)) return "bad";
  return left <= Math.min(soonMs, life / 4) ? "warn" : "plain";
}

/** What keeps clients of a Gateway out, by message key. */
export function gatewayTrouble({ proxies, servers }: GatewayView, now: number): { tone: Tone; says: GatewayTrouble[] } {
  const says: GatewayTrouble[] = [];
  if (proxies?.length === 0) says.push("nobody-serves");
  if (servers.some((server) => server.routedBy.length === 0 && !server.tls?.httpsRedirect)) says.push("unrouted");
  const tones = servers.flatMap(({ certificates }) => certificates.map((one) => certificateTone(one, now)));
  if (tones.includes("bad")) says.push("certificate-bad");
  else if (tones.includes("warn")) says.push("certificate-soon");
  const bad = says.includes("nobody-serves") || says.includes("certificate-bad");
  return { tone: bad ? "bad" : says.length > 0 ? "warn" : "plain", says };
}

export type GatewayTrouble = "nobody-serves" | "unrouted" | "certificate-bad" | "certificate-soon";
