import type { Logger } from "../lib/logger.ts";
import { configOriginOf } from "../xds/csds-client.ts";
import type { StreamEvents } from "../xds/discovery-streams.ts";
import { nodeFacts } from "../xds/node-facts.ts";
import type { Session } from "../xds/session.ts";
import { TypeUrl } from "../xds/types.ts";
import type { PlaneCounters } from "./counters.ts";
import type { Distributor } from "./distributor.ts";
import type { IstiodMetrics } from "./istiod-metrics.ts";
import type { KnownProxies } from "./known-proxies.ts";
import type { PushTracker } from "./push-tracker.ts";
import type { RefusalMemory } from "./refusal-memory.ts";
import { registrationRequest } from "./registration/registration-request.ts";
import type { Registrations } from "./registration/registrations.ts";

export interface XdsEventsOptions {
  distributor: Distributor;
  known: KnownProxies;
  registrations: Registrations;
  tracker: PushTracker;
  memory: RefusalMemory;
  count: PlaneCounters;
  istiod: IstiodMetrics;
  logger: Logger;
}

/** What comes of each stream: who is there, what was sent, who refused what, and who has all of it. */
export function xdsEvents(options: XdsEventsOptions): StreamEvents {
  const { distributor, known, registrations, tracker, memory, count, istiod, logger } = options;
  return {
    connected(session) {
      distributor.connect(session);
      const proxy = session.lasting ? distributor.proxyOf(session) : undefined;
      const asked = proxy && registrationRequest(proxy, session.node.metadata ?? {});
      if (asked) registrations.connected(session, asked);
      known.connected(session);
      const { node, protocol, identity } = session;
      logger.info({ proxy: node.id, protocol, identity }, "proxy connected");
    },
    disconnected(session) {
      distributor.disconnect(session);
      registrations.disconnected(session);
      known.disconnected(session);
      tracker.gone(session);
      logger.info({ proxy: session.node.id }, "proxy disconnected");
    },
    reported: (session, problem) => registrations.reported(session, problem),
    pushed(_session, typeUrl, sent) {
      const type = shortName(typeUrl);
      count.pushes(1, { type });
      istiod.pushed(
        typeUrl,
        sent.resources.reduce((sum, { value }) => sum + value.length, 0),
      );
      count.resources(sent.resources.length + sent.removed.length, { type });
    },
    nacked(session, typeUrl, refused, message) {
      count.nacks(1, { type: shortName(typeUrl) });
      istiod.refused(typeUrl);
      logger.warn(
        { proxy: session.node.id, type: shortName(typeUrl), refused: [...refused.keys()], message },
        "refused",
      );
      // Secrets come from no config object: theirs is not the fault of the change that happens to be on its way.
      if (typeUrl === TypeUrl.secret) return;
      for (const [name, detail] of refused) {
        tracker.refused(session, describeRefusal(session, typeUrl, name, detail));
        const { version } = session.subscriptions.get(typeUrl)?.refused(name) ?? {};
        if (version !== undefined) memory.note(nodeFacts(session.node).implementation, typeUrl, name, version, detail);
      }
    },
    settled(session, revision) {
      known.settled(session, revision);
      tracker.settled(session, revision);
    },
  };
}

function describeRefusal(session: Session, typeUrl: string, name: string, detail: string): string {
  const refused = session.subscriptions.get(typeUrl)?.refused(name);
  const origin = refused && configOriginOf({ typeUrl, value: refused.resource.value });
  return `${shortName(typeUrl)} ${name}: ${detail}${origin ? ` (from ${origin})` : ""}`;
}

const shortName = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
