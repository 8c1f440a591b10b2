import { z } from "zod";
import { accessInEnglish } from "./told-access.ts";
import { askedInEnglish } from "./told-asked.ts";
import { fieldsInEnglish } from "./told-fields.ts";
import { warningsInEnglish } from "./told-warnings.ts";

/**
 * What a server says to people, each by a word of its own, so that a page can say it in its reader's language: the messages `told` have the same
 * words. Here in English, for commands, logs and whoever reads an API's `message`.
 */
const english = {
  ...fieldsInEnglish,
  ...warningsInEnglish,
  ...accessInEnglish,
  ...askedInEnglish,
  "control-plane-silent": "the control plane at {url} can't be reached: {why}",
  "control-plane-failed": "the control plane answered {status} to {call}",
  "csds-silent": "CSDS gave no answer: {why}",
  "collector-silent": "the collector gives no answer: {why}",
  "telemetry-unreadable": "Telemetry can't be read: {why}",
  "retention-duration": "must be a duration of a second or more, such as 36h or 7d, not {value}",
  "retention-count": "must be a whole number above 0, not {value}",
  "retention-order": "a coarser step must be kept as long as a finer one",
  "retention-unknown": "there is no setting {name}; there are {known}",
  "dashboard-failed": "The dashboard failed; its log says why.",
  "dashboard-silent": "The dashboard does not answer.",
  "answer-unread": "The dashboard's answer can't be read: {why}",
  "streams-full": "{count} live streams are open already; close one of them.",
  "body-too-large": "The body is larger than {limit} bytes.",
  "no-service": "there is no service {name} in {namespace}",
  "no-workload": "there is no workload {name} in {namespace}",
  "no-proxy": "no proxy {id} is known",
  "history-begins": "the history reaches back to revision {revision} only",
  "nothing-named": "nothing is called {name}, neither now nor at revision {revision}",
  "kept-in-files": "the mesh is kept in the files of {folder}: make the change there",
  "no-connected-proxy": "no proxy {id} is connected",
  "admin-elsewhere": "its admin interface can't be reached from here: no supervisor on this machine runs this proxy",
  "admin-silent": "the admin interface of {id} can't be asked: {why}",
  "no-resource": "{id} holds no {type} {name}",
  "token-form": "must be a JWT, or the claims of one as JSON: {why}.",
  "no-metric": "There is no metric {name}: nobody has sent it, or it is past its retention.",
  "no-trace": "There is no trace {id}: it was not sampled, has not arrived, or is past its retention.",
  "no-push": "no push of revision {revision} is known",
  "no-change": "there is no change {revision} in the history",
  "no-kind": "there is no kind {kind}",
  "no-fault": "there is no fault {id} in VirtualService {object}",
  "no-object": "{object} does not exist",
  "proxy-connected": "{id} is connected: only a proxy that is gone can be forgotten",
  "changed-since":
    "{object} has been changed since ({author}, revision {over}: {summary}{more}): undo that first, edit it by hand, or undo {revision} over it with over={over}",
  "namespace-used": "the namespace {namespace} has {object} in it",
  "object-gone": "the {kind} of version {version} is gone: load it again",
  "object-changed": "{object} has changed: it is at version {version}, the change was made against version {base}",
  "object-made": "{object} has changed: it is at version {version}, the change was made when there was none",
  "registered-entry":
    "{object} is that of a workload that registered itself: change the WorkloadGroup {group}, or delete the entry",
  "conflict-there": "{object} exists already",
  "conflict-gone": "{object} does not exist any more",
  "conflict-version": "{object} has changed: it is at version {version}, the change was made against {base}",
  "conflict-other": "{object} is another object by now: its uid is {uid}",
  "written-twice": "{object} is written twice in one transaction",
  "no-namespace": "there is no namespace {namespace}",
  "sealed-gone": "stands for a value that is not kept any more: write the value itself",
  "sealed-elsewhere": "was sealed by another key or for another place: write the value itself",
  "yaml-invalid": "the YAML is not valid",
  "yaml-too-large": "the YAML {why}",
  "field-required": "is required",
  "field-unknown": "unknown field",
  "field-unknown-near": "unknown field; did you mean {near}?",
  "weight-number": "must be a whole number from 0 to 100, not {weight}",
  "weights-sum": "must sum to 100, not {sum}",
  "no-subset": "there is no such subset; there are {known}",
  "no-subset-near": "there is no such subset; did you mean {near}?",
  "rules-tcp": "{name} has TCP or TLS rules only: edit its YAML",
  "no-rule": "{name} has no rule {rule}, it has {count}",
  "rule-answers": "it redirects or answers by itself: there is nothing to share",
  "rule-elsewhere": "it also sends to {host}: edit its YAML",
  "rule-twice": "it sends to {name} more than once: edit its YAML",
  "rule-foreign": "VirtualService {object} sends nothing to {name} in {namespace}",
  "fault-there": "there is a fault {id} already",
  "fault-hosts": "VirtualService {name} is also for {hosts}, which the fault would hit too: edit its YAML",
  "fault-tcp": "VirtualService {name} has TCP or TLS rules only: there are no requests to fail",
  "fault-connections": "{name} takes TCP connections: there are no requests in them to delay or to fail",
  "fault-same-header": "fault {id} is for this header already: stop it first",
  "fault-same-caller": "fault {id} is for this caller already: stop it first",
  "fault-same-gateway": "fault {id} is for this gateway already: stop it first",
  "fault-everywhere": "every rule has a fault already: stop it first",
  "fault-no-route": "no rule routes to a service",
  "fault-no-match": "no rule can match {what}",
  "fault-no-entrance": "no rule for {name} is in force there; it is entered by {known}",
  "canary-runs": "canary {name} is {phase}: abort it or wait for its end first",
  "canary-phase": "canary {name} is {phase}: there is nothing to {action}",
  "canary-action": "a canary can't {action}; it can pause, resume, promote and abort",
  "canary-not-shared": "it can't begin: {why}",
  "no-design": "there is no design {name}",
  "design-ready": "{name} comes with Limpid and stays",
  "design-empty": "nothing of it can be kept in a design",
  "no-receiver": "there is no receiver {name}",
  "receivers-full": "there are as many receivers as there may be; remove one first",
  "receiver-answered": "answered {status}",
  "receiver-slow": "no answer within {sec} s",
  "receiver-refused": "nobody listens there",
  "receiver-unknown": "there is no such host",
  "receiver-unreachable": "can't be reached: {why}",
  "receiver-queue": "{count} messages are waiting already",
  "receiver-unaware": "it did not hear of the beginning",
  "load-runs": "a load test is running; stop it first, or wait {sec} s",
  "load-elsewhere": "{origin} is none of this mesh's gateways and proxies: {known}",
  "no-load-test": "there is no load test {id}",
  "no-load-running": "no load test is running",
  "url-form": "{url} is no URL such as http://reviews:9080/reviews/0",
  "url-scheme": "{scheme}// is none of http://, https:// and tcp://",
  "url-port": "{url} needs a port, such as tcp://{host}:3306",
  "header-form": "{line} is no name: value",
  "caller-unknown": "there is no proxy {from}; there are {known}",
  "caller-gone": "{name} is not connected any more",
  "caller-several": "{from} is there in several namespaces: write {known}",
} as const;

export type Reason = keyof typeof english;

type Params = Readonly<Record<string, string | number>>;

/** The parts of an error by which a page tells it in words of its own; both unset where there are none. */
export const toldParts = {
  reason: z.string().optional(),
  params: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
};

export interface Told {
  message: string;
  reason?: string | undefined;
  params?: Params | undefined;
}

/** `told("weights-sum", { sum: 90 })`: what is said in English, and the parts of it. */
export function told<R extends Reason>(reason: R, params: ParamsOf<(typeof english)[R]>): Told {
  const given: Params = params;
  const message = english[reason].replace(/\{(\w+)\}/g, (_, name: string) => String(given[name] ?? ""));
  return { message, reason, ...(Object.keys(given).length > 0 && { params: given }) };
}

/** Which parameters a text has. */
type ParamsOf<Text extends string> = Record<NamesIn<Text>, string | number>;
type NamesIn<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

/** The English texts, for the test that holds the messages to them. */
export const toldInEnglish: Readonly<Record<Reason, string>> = english;
