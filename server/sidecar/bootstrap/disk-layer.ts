import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RuntimeLayer_DiskLayer } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { lazyRequire } from "../../lib/lazy-require.ts";
import { type RuntimeValue, runtimeValue } from "../runtime.ts";

/** As Envoy's: a link that leads back into its own tree ends somewhere. */
const maxDepth = 16;
/** More keys, and longer values, than an operator would write. */
const maxKeys = 1_000;
const maxValueBytes = 64 * 1024;

/** Hears the values, or why there are none; what was in force is then not any more. */
type Told = (values: ReadonlyMap<string, RuntimeValue>, error: string | undefined) => void;

/**
 * A layer of the runtime as a tree of files: the path of each, with dots, is a key, and what is in it its value. Read anew when another tree takes the place of the
 * one that `symlink_root` names. https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/runtime#file-system-layout
 */
export class DiskLayer {
  private readonly root: string;
  private readonly folder: string;
  private readonly told: Told;
  private watcher: FSWatcher | undefined = undefined;

  /** @param cluster of the node, where a tree has values for each */
  constructor(
    { symlinkRoot, subdirectory, appendServiceCluster }: RuntimeLayer_DiskLayer,
    cluster: string,
    told: Told,
  ) {
    this.root = symlinkRoot;
    this.folder = join(symlinkRoot, subdirectory, appendServiceCluster ? cluster : "");
    this.told = told;
  }

  /** Reads it, and follows it from then on. */
  start(): void {
    this.read();
    const name = basename(this.root);
    try {
      this.watcher = watch(dirname(this.root), { persistent: false }, (_, changed) => {
        if (changed === null || changed === name) this.read();
      });
    } catch (error) {
      this.told(new Map(), `${dirname(this.root)} cannot be watched (${codeOf(error)})`);
      return;
    }
    this.watcher.on("error", () => this.close());
  }

  close(): void {
    this.watcher?.close();
    this.watcher = undefined;
  }

  private read(): void {
    const values = new Map<string, RuntimeValue>();
    try {
      collect(this.folder, "", 0, values);
    } catch (error) {
      this.told(new Map(), error instanceof TreeError ? error.message : `${this.folder}: ${codeOf(error)}`);
      return;
    }
    this.told(values, undefined);
  }
}

class TreeError extends Error {}

function collect(folder: string, prefix: string, depth: number, values: Map<string, RuntimeValue>): void {
  if (depth > maxDepth) throw new TreeError(`${folder}: deeper than ${maxDepth} folders`);
  for (const name of readdirSync(folder)) {
    // A volume of Kubernetes has its generations under such names, and links to the present one.
    if (name.startsWith("..")) continue;
    const path = join(folder, name);
    const stat = statSync(path);
    if (stat.isDirectory()) collect(path, `${prefix}${name}.`, depth + 1, values);
    else if (stat.isFile()) {
      if (values.size >= maxKeys) throw new TreeError(`${folder}: more than ${maxKeys} files`);
      if (stat.size > maxValueBytes) throw new TreeError(`${path}: longer than ${maxValueBytes} bytes`);
      values.set(prefix + name, readValue(readFileSync(path, "utf8")));
    }
  }
}

const yaml = lazyRequire<typeof import("yaml")>("yaml");

/** Lines that begin with `#` are remarks. A share is written as YAML of a FractionalPercent. */
function readValue(text: string): RuntimeValue {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  const value = lines.join("\n").trimEnd();
  if (!/\b(?:numerator|denominator)\b/.test(value)) return runtimeValue(value);
  try {
    return runtimeValue(yaml().parse(value));
  } catch {
    return runtimeValue(value);
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
