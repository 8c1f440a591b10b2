import { setTimeout as pause } from "node:timers/promises";
import type { Leadership } from "../alerts/book.ts";
import { Courier } from "../alerts/courier.ts";
import { payloadOf } from "../alerts/payload.ts";
import { post } from "../alerts/post.ts";
import { Receivers } from "../alerts/receivers.ts";
import { writtenRules } from "../alerts/rules.ts";
import { AlertWatch, type WatchSources } from "../alerts/watch.ts";
import {
  type AlertRules,
  type Alerts,
  DashboardError,
  type Notice,
  type ReceiverRequest,
  type ReceiverTest,
  type Receivers as ShownReceivers,
  told,
} from "../contract/index.ts";

/** How long whoever is being told may take to answer when the dashboard ends. */
const farewellMs = 2000;

export interface AlertCalls {
  alerts(): Promise<Alerts>;
  alertRules(): Promise<AlertRules>;
  receivers(): Promise<ShownReceivers>;
  putReceiver(receiver: ReceiverRequest): Promise<ShownReceivers>;
  /** Rejects with NOT_FOUND, as `testReceiver` does. */
  removeReceiver(name: string): Promise<ShownReceivers>;
  testReceiver(name: string): Promise<ReceiverTest>;
  /** Looks at the mesh every few seconds until the signal aborts; of dashboards that share a book one does, and the others show what it found. */
  watchAlerts(signal: AbortSignal): Promise<void>;
}

export interface AlertSources extends Omit<WatchSources, "receivers"> {
  /** Of the dashboard: where people look closer. */
  origin: string;
  /** Between two looks; default 5 s. */
  everyMs?: number;
}

export function createAlerts({ book, origin, everyMs = 5000, ...sources }: AlertSources): AlertCalls {
  const page = `${origin}/alerts`;
  const receivers = new Receivers(book);
  const watch = new AlertWatch({ ...sources, book, receivers: receivers.names });
  const kept = () => {
    const { active, over } = watch.alerts();
    return [...active, ...over];
  };
  const shown = async (): Promise<ShownReceivers> => ({ receivers: await receivers.shown(kept()) });
  return {
    alerts: async () => watch.alerts(),
    async alertRules() {
      const { active } = watch.alerts();
      const rules = writtenRules(await sources.rules(), sources.rootNamespace).map(({ key, ...rule }) => ({
        ...rule,
        meshWide: rule.namespace === sources.rootNamespace && rule.spec.service === undefined,
        active: active.filter((notice) => notice.rule === key).length,
      }));
      return { rules, rootNamespace: sources.rootNamespace };
    },
    receivers: shown,
    async putReceiver(receiver) {
      if (!(await receivers.put(receiver)))
        throw new DashboardError({ code: "INVALID", ...told("receivers-full", {}) });
      return shown();
    },
    async removeReceiver(name) {
      if (!(await receivers.remove(name))) throw missing(name);
      return shown();
    },
    async testReceiver(name) {
      const receiver = await receivers.find(name);
      if (!receiver) throw missing(name);
      const why = await post(receiver, payloadOf(receiver.kind, example(sources.now()), "fired", page));
      receivers.told(name, sources.now(), why);
      return { ok: why === null, why };
    },
    async watchAlerts(signal) {
      const begin = async (leadership: Leadership): Promise<Shift> => {
        const end = new AbortController();
        const courier = new Courier({
          ...{
            receivers,
            page,
            now: sources.now,
            isOurs: leadership.holds,
            onChange: () => void watch.save(leadership),
          },
          signal: AbortSignal.any([signal, end.signal]),
        });
        courier.resume(kept());
        return { leadership, courier, end };
      };
      let shift: Shift | undefined;
      while (!signal.aborted) {
        if (shift && !(await shift.leadership.holds())) {
          shift.end.abort();
          void shift.leadership.resign();
          shift = undefined;
        }
        if (!shift) {
          const leadership = await book.lead().catch((error) => watch.isLost(error));
          await watch.reload();
          if (leadership) shift = await begin(leadership);
        }
        if (shift) await watch.look(shift.courier, shift.leadership);
        await pause(everyMs, undefined, { signal }).catch(() => undefined);
      }
      if (shift) await Promise.race([shift.courier.answered(), pause(farewellMs)]);
      await shift?.leadership.resign();
      await book.close();
    },
  };
}

/** What a dashboard has while it leads. */
interface Shift {
  leadership: Leadership;
  courier: Courier;
  end: AbortController;
}

const missing = (name: string): DashboardError =>
  new DashboardError({ code: "NOT_FOUND", ...told("no-receiver", { name }) });

/** What a test sends: it looks like the real thing, and says that it is none. */
const example = (now: number): Notice => ({
  ...{ id: "00000000-0000-0000-0000-000000000000", rule: "test", builtIn: true, severity: "Info", measure: "errors" },
  subject: { kind: "service", namespace: "test", name: "a-test-of-this-receiver", id: "test" },
  ...{ limit: 5, value: 12.5, worst: 12.5, last: 12.5, since: now, firedAt: now, clearedAt: null, end: null },
  ...{ deliveries: [], muted: false },
});
