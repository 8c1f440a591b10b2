import type { ServiceRef } from "../../../config/edits/index.ts";
import type { Commit, ConfigChange } from "../../../config/store.ts";
import { type Change, type ChangeWord, canaryEvents, designReason, limpidReasons } from "../../../contract/index.ts";
import { faultsOfChange } from "./change-faults.ts";
import { objectWords, trafficWords } from "./change-words.ts";

/** A commit in few words, for people: the writer's own, or what is seen from the objects. */
export function toChange(commit: Commit, services: readonly ServiceRef[] = []): Change {
  const traffic = trafficWords(commit.changes);
  const words = wordsOf(commit);
  const weights = traffic.map(weightsOf).find((found) => found !== undefined);
  const faults = faultsOfChange(commit.changes, services);
  return {
    revision: commit.revision,
    at: commit.at,
    author: commit.author,
    kind: kindOf(traffic),
    summary: commit.reason ?? textOf(words),
    words,
    ...(weights && { weights }),
    ...(faults && { faults }),
    objects: commit.changes.map(({ type, key }) => ({ type, ...key })),
  };
}

/** What the changes do, in few words. */
export const describeChanges = (changes: readonly ConfigChange[]): string => textOf(seenWords(changes));

/** `reviews 80/20/0 → 70/20/10`, `fault on ratings: 50 % 503`; undefined when neither weights nor faults changed. */
export function describeTraffic(changes: readonly ConfigChange[]): string | undefined {
  const words = trafficWords(changes);
  return words.length > 0 ? textOf(words) : undefined;
}

/** Why a commit is made that takes another back, that makes objects as they were, or that ends a fault whose time is over: read again by `wordsOf`. */
export const undoReason = (revision: number, changes: readonly ConfigChange[]): string =>
  `undo of ${revision}: ${describeChanges(changes)}`.slice(0, 200);
export const restoreReason = (revision: number, changes: readonly ConfigChange[]): string =>
  `restore of ${revision}: ${describeChanges(changes)}`.slice(0, 200);
type CanaryWord = Extract<ChangeWord, { code: "canary" }>;
/** `canary reviews: step, v3 10 %`. */
export const canaryReason = ({ canary, event, version, weight }: Omit<CanaryWord, "code">): string =>
  `canary ${canary}: ${event}, ${version} ${weight} %`;
export const overReason = (service: string): string => `fault on ${service} ended: its time is over`;

function wordsOf({ reason, changes }: Commit): ChangeWord[] {
  const seen = seenWords(changes);
  if (reason === undefined || reason === textOf(seen)) return seen;
  const undone = Number(/^undo of (\d{1,15}): /.exec(reason)?.[1]);
  if (reason === undoReason(undone, changes)) return [{ code: "undo", revision: undone }, ...seen];
  const restored = Number(/^restore of (\d{1,15}): /.exec(reason)?.[1]);
  if (reason === restoreReason(restored, changes)) return [{ code: "restore", revision: restored }, ...seen];
  const [, over = ""] = /^fault on (\S+) ended: /.exec(reason) ?? [];
  if (reason === overReason(over)) return [{ code: "fault-over", service: over }];
  return [canaryWord(reason) ?? designWord(reason) ?? limpidWord(reason) ?? { code: "own", text: reason }];
}

function designWord(reason: string): ChangeWord | undefined {
  const [, design] = /^design ([a-z0-9][-a-z0-9.]*)$/.exec(reason) ?? [];
  return design === undefined ? undefined : { code: "design", design };
}

function limpidWord(reason: string): ChangeWord | undefined {
  const what = (Object.keys(limpidReasons) as (keyof typeof limpidReasons)[]).find(
    (key) => limpidReasons[key] === reason,
  );
  return what && { code: "limpid", what };
}

function canaryWord(reason: string): CanaryWord | undefined {
  const [, canary = "", said = "", version = "", weight] = /^canary (\S+): ([a-z ]+), (.+) (\S+) %$/.exec(reason) ?? [];
  const event = canaryEvents.find((one) => one === said);
  return event && { code: "canary", canary, event, version, weight: Number(weight) };
}

function seenWords(changes: readonly ConfigChange[]): ChangeWord[] {
  const traffic = trafficWords(changes);
  return traffic.length > 0 ? traffic : objectWords(changes);
}

/** A fault that begins outweighs one that ends, and both outweigh weights: it is what one looks for in the history. */
function kindOf(words: readonly ChangeWord[]): Change["kind"] {
  const has = (...codes: ChangeWord["code"][]) => words.some(({ code }) => codes.includes(code));
  if (has("fault-start")) return "fault-start";
  if (has("fault-end")) return "fault-end";
  return has("shift", "split") ? "traffic" : "config";
}

function weightsOf(word: ChangeWord): Change["weights"] {
  if (word.code === "split") return { before: null, after: word.after };
  return word.code === "shift" ? { before: word.before, after: word.after ?? everyVersion } : undefined;
}

const everyVersion = "all versions";

/** In English, as it is kept in the history and printed by commands. */
const textOf = (words: readonly ChangeWord[]): string =>
  words.map(wordText).join(words[0]?.code === "objects" ? "; " : ", ");

const verbs = { ADDED: "created", MODIFIED: "changed", DELETED: "deleted" } as const;

function wordText(word: ChangeWord): string {
  switch (word.code) {
    case "shift":
      return `${word.service} ${word.before ?? everyVersion} → ${word.after ?? everyVersion}`;
    case "split":
      return `${word.service} → ${word.after}`;
    case "fault-start":
      return `fault on ${word.service}: ${faultText(word)}`;
    case "fault-end":
      return `fault on ${word.service} ended`;
    case "fault-over":
      return overReason(word.service);
    case "canary":
      return canaryReason(word);
    case "objects":
      return `${verbs[word.type]} ${word.names.length > 0 ? word.names.join(", ") : `${word.count} objects`}`;
    case "undo":
    case "restore":
      return `${word.code} of ${word.revision}`;
    case "design":
      return designReason(word.design);
    case "limpid":
      return limpidReasons[word.what];
    case "own":
      return word.text;
  }
}

function faultText({ delay, abort }: Extract<ChangeWord, { code: "fault-start" }>): string {
  return [
    delay && `${delay.percentage} % ${delay.time} late`,
    abort && `${abort.percentage} % ${abort.status ?? "aborted"}`,
  ]
    .filter(Boolean)
    .join(" and ");
}
