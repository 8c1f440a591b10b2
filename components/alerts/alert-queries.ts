"use client";
import { AlertRules, Alerts, type ReceiverRequest, Receivers, ReceiverTest } from "../../server/contract/index.ts";
import { getJson, type Settled, sendJson } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";

export const useAlerts = (initial?: Settled<Alerts>): Live<Alerts> =>
  useLive({ queryKey: ["alerts"], read: (signal) => getJson(Alerts, "/api/alerts", signal), everyMs: 5000, initial });

export const useAlertRules = (): Live<AlertRules> =>
  useLive({
    queryKey: ["alert-rules"],
    read: (signal) => getJson(AlertRules, "/api/alerts/rules", signal),
    everyMs: 10_000,
  });

const path = "/api/alerts/receivers";
const pathOf = (name: string): string => `${path}/${encodeURIComponent(name)}`;

export const useReceivers = (): Live<Receivers> =>
  useLive({ queryKey: ["alert-receivers"], read: (signal) => getJson(Receivers, path, signal), everyMs: 10_000 });

/** All throw `ApiFailure`. */
export const putReceiver = ({ name, ...receiver }: ReceiverRequest): Promise<Receivers> =>
  sendJson(Receivers, "PUT", pathOf(name), receiver);
export const removeReceiver = (name: string): Promise<Receivers> => sendJson(Receivers, "DELETE", pathOf(name));
export const testReceiver = (name: string): Promise<ReceiverTest> =>
  sendJson(ReceiverTest, "POST", `${pathOf(name)}/test`);
