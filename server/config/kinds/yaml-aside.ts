import { Worker } from "node:worker_threads";
import type { Result } from "../../lib/result.ts";
import { YamlLimitError, type YamlLimits } from "../../lib/yaml/read-yaml.ts";
import type { ConfigObject } from "../object.ts";
import { type DocumentError, parseDocuments } from "./documents.ts";
import { oneValue } from "./one-value.ts";
import type { YamlAnswer, YamlTask } from "./yaml-worker.ts";

/** What is read at once, some tens of milliseconds; longer texts are read in a thread of their own, so that nobody else waits. */
const maxCharactersAtOnce = 16_384;
/** How long a thread may take for one text, start included; then it is ended. */
const timeMs = 20_000;
/** Texts that may wait for the thread. */
const maxWaiting = 16;

/** The one document of a text as plain data. Rejects with what is wrong with it, or `YamlLimitError`. */
export async function readValueAside(text: string, limits: YamlLimits): Promise<unknown> {
  if (text.length <= maxCharactersAtOnce) return oneValue(text, limits);
  return thread.run({ kind: "value", text, limits });
}

/** `parseDocuments`, without holding up the event loop. Rejects with `YamlLimitError`. */
export async function parseDocumentsAside(text: string): Promise<Result<ConfigObject[], DocumentError>> {
  if (text.length <= maxCharactersAtOnce) return parseDocuments(text);
  return (await thread.run({ kind: "documents", text })) as Result<ConfigObject[], DocumentError>;
}

interface Waiting {
  task: YamlTask;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

type Work = YamlTask extends infer T ? (T extends YamlTask ? Omit<T, "id"> : never) : never;

/** One thread, started when it is needed, for one text after the other. It ends with the process, and when a text takes too long. */
class YamlThread {
  #worker: Worker | undefined;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #id = 0;

  run(work: Work): Promise<unknown> {
    if (this.#waiting.length >= maxWaiting) {
      return Promise.reject(new YamlLimitError(`has to wait: ${this.#waiting.length} other long texts are being read`));
    }
    return new Promise((resolve, reject) => {
      const task = { ...work, id: ++this.#id } as YamlTask;
      this.#waiting.push({ task, resolve, reject });
      if (this.#waiting.length === 1) this.#begin();
    });
  }

  #begin(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#timer = setTimeout(
      () => this.#fail(new YamlLimitError(`takes longer than ${timeMs / 1000} s to read; JSON is quicker`)),
      timeMs,
    );
    this.#start().postMessage(first.task);
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const file = import.meta.url.endsWith(".ts") ? "./yaml-worker.ts" : "./yaml-worker.js"; // the bundle has it beside itself
    const worker = new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 768 } });
    worker.unref();
    worker.on("message", (answer: YamlAnswer) => this.#settle(answer));
    worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker = worker;
    return worker;
  }

  #settle(answer: YamlAnswer): void {
    const [first] = this.#waiting;
    if (first === undefined || first.task.id !== answer.id) return;
    this.#next();
    if ("value" in answer) first.resolve(answer.value);
    else first.reject(answer.isLimit ? new YamlLimitError(answer.error) : new Error(answer.error));
  }

  /** The thread is lost with the text that it was at: it may be in the middle of anything. */
  #fail(error: Error): void {
    const [first] = this.#waiting;
    void this.#worker?.terminate();
    this.#worker = undefined;
    this.#next();
    const isMemory = (error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";
    first?.reject(isMemory ? new YamlLimitError("takes more memory to read than there is for it") : error);
  }

  #next(): void {
    clearTimeout(this.#timer);
    this.#waiting.shift();
    this.#begin();
  }
}

const thread = new YamlThread();
