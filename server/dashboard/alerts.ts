import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
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
import { tryLockFile } from "../lib/file-lock.ts";

/** Ends this process's turn to look. */
type Release = () => void;

export interface AlertCalls {
  alerts(): Promise<Alerts>;
  alertRules(): Promise<AlertRules>;
  receivers(): Promise<ShownReceivers>;
  putReceiver(receiver: ReceiverRequest): Promise<ShownReceivers>;
  /** Rejects with NOT_FOUND, as `testReceiver` does. */
  removeReceiver(name: string): Promise<ShownReceivers>;
  testReceiver(name: string): Promise<ReceiverTest>;
  /** Looks at the mesh every few seconds until the signal aborts; of dashboards that share a data folder one does, and the others show what it found. */
  watchAlerts(signal: AbortSignal): Promise<void>;
}

export interface AlertSources extends Omit<WatchSources, "path"> {
  /** The folder in which notices and receivers are kept. */
  data: string;
  /** Of the dashboard: where people look closer. */
  origin: string;
  /** Between two looks; default 5 s. */
  everyMs?: number;
}

export function createAlerts({ data, origin, everyMs = 5000, ...sources }: AlertSources): AlertCalls {
  const page = `${origin}/alerts`;
  const receivers = new Receivers(join(data, "alert-receivers.json"));
  const watch = new AlertWatch({ ...sources, path: join(data, "alerts.json") });
  const takeTurn = (): Release | undefined => {
    try {
      return tryLockFile(join(data, "alerts.lock"));
    } catch (error) {
      sources.onError(error);
      return undefined;
    }
  };
  const shown = (): ShownReceivers => ({ receivers: receivers.shown() });
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
    receivers: async () => shown(),
    async putReceiver(receiver) {
      if (!receivers.put(receiver)) throw new DashboardError({ code: "INVALID", ...told("receivers-full", {}) });
      return shown();
    },
    async removeReceiver(name) {
      if (!receivers.remove(name)) throw missing(name);
      return shown();
    },
    async testReceiver(name) {
      const receiver = receivers.all().find((one) => one.name === name);
      if (!receiver) throw missing(name);
      const why = await post(receiver, payloadOf(receiver.kind, example(sources.now()), "fired", page));
      receivers.told(name, sources.now(), why);
      return { ok: why === null, why };
    },
    async watchAlerts(signal) {
      const courier = new Courier({ receivers, page, now: sources.now, onChange: () => watch.save(), signal });
      let turn: Release | undefined;
      while (!signal.aborted) {
        const had = turn !== undefined;
        turn ??= takeTurn();
        if (!had) watch.reload();
        if (!had && turn) courier.resume([...watch.alerts().active, ...watch.alerts().over]);
        if (turn) await watch.look(courier);
        await pause(everyMs, undefined, { signal }).catch(() => undefined);
      }
      turn?.();
    },
  };
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
