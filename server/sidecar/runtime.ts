import type {
  RuntimeFeatureFlag,
  RuntimeFractionalPercent,
  RuntimeUInt32,
} from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { type FractionalPercent, FractionalPercent_DenominatorType } from "../gen/proto/envoy/type/v3/percent_pb.js";

/** One value of a layer: as written, and what it is as a share where it is one. */
export interface RuntimeValue {
  readonly text: string;
  readonly number: number | undefined;
  readonly flag: boolean | undefined;
  /** Between 0 and 1; of a whole number: percent. */
  readonly share: number | undefined;
  /** Of how many it is a share. */
  readonly per: number;
}

/** A share that a runtime key may change. */
export interface Share {
  /** "": none may. */
  readonly key: string;
  /** Between 0 and 1. */
  readonly fallback: number;
}

/** @param key where the configuration names none */
export function shareOf(percent: RuntimeFractionalPercent | undefined, absent: number, key = ""): Share {
  return { key: percent?.runtimeKey || key, fallback: fraction(percent?.defaultValue, absent) };
}

export interface RuntimeLayer {
  readonly name: string;
  readonly values: ReadonlyMap<string, RuntimeValue>;
}

/**
 * Values that operators set beside the configuration, by key: layers, of which the last that has a key wins. What is compiled from a configuration reads them
 * when it is used, so that a change is in force at once.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/runtime
 */
export class Runtime {
  private readonly stack: RuntimeLayer[] = [];
  private merged: ReadonlyMap<string, RuntimeValue> = new Map();

  get layers(): readonly RuntimeLayer[] {
    return this.stack;
  }

  /** Replaces the layer of that name where it stands; a new one comes on top. */
  setLayer(name: string, values: ReadonlyMap<string, RuntimeValue>): void {
    const index = this.stack.findIndex((layer) => layer.name === name);
    const layer = { name, values };
    if (index === -1) this.stack.push(layer);
    else this.stack[index] = layer;
    this.merged = new Map(this.stack.flatMap((each) => [...each.values]));
  }

  get(key: string): RuntimeValue | undefined {
    return this.merged.get(key);
  }

  get keys(): string[] {
    return [...this.merged.keys()].sort();
  }

  /** A share of whoever compiles once and asks often. @returns what holds when it is called, between 0 and 1 */
  share(percent: RuntimeFractionalPercent | undefined, absent: number): () => number {
    const share = shareOf(percent, absent);
    return () => this.now(share);
  }

  /** The same of a value that is named by a key of its own. */
  keyed<K extends "share" | "number" | "flag">(
    key: string,
    kind: K,
    fallback: NonNullable<RuntimeValue[K]>,
  ): () => NonNullable<RuntimeValue[K]> {
    return key === "" ? () => fallback : () => this.merged.get(key)?.[kind] ?? fallback;
  }

  /** What holds now, between 0 and 1. */
  now({ key, fallback }: Share): number {
    return key === "" ? fallback : (this.merged.get(key)?.share ?? fallback);
  }

  /** Whether one of many is to be taken. */
  draws(share: Share, random: () => number): boolean {
    const value = this.now(share);
    return value >= 1 || (value > 0 && random() < value);
  }

  /** @param absent where the configuration says nothing */
  flag(flag: RuntimeFeatureFlag | undefined, absent: boolean): () => boolean {
    return this.keyed(flag?.runtimeKey ?? "", "flag", flag?.defaultValue ?? absent);
  }

  number(value: RuntimeUInt32 | undefined): () => number {
    return this.keyed(value?.runtimeKey ?? "", "number", value?.defaultValue ?? 0);
  }
}

/** Of how many a percentage is a share. */
export const perOf = (percent: FractionalPercent | undefined): number => denominators[percent?.denominator ?? 0];

/** A share between 0 and 1. */
export function fraction(percent: FractionalPercent | undefined, absent: number): number {
  if (percent === undefined) return absent;
  return Math.min(1, percent.numerator / denominators[percent.denominator]);
}

/**
 * Values by key of a layer's JSON form: objects nest with dots, but one with a numerator or a denominator is a share.
 * @param json of a Struct
 */
export function runtimeValues(json: unknown, prefix = ""): Map<string, RuntimeValue> {
  const values = new Map<string, RuntimeValue>();
  if (json === null || typeof json !== "object") return values;
  for (const [key, value] of Object.entries(json)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const nested = value !== null && typeof value === "object" && !("numerator" in value || "denominator" in value);
    if (nested) for (const [inner, made] of runtimeValues(value, path)) values.set(inner, made);
    else values.set(path, runtimeValue(value));
  }
  return values;
}

/** Of a JSON value, or a text that an operator typed. */
export function runtimeValue(value: unknown): RuntimeValue {
  if (value !== null && typeof value === "object") {
    const { numerator = 0, denominator = "HUNDRED" } = value as { numerator?: number; denominator?: string | number };
    const per = typeof denominator === "number" ? denominator : (perName[denominator] ?? 0);
    const share = Math.min(1, numerator / denominators[per as FractionalPercent_DenominatorType]);
    const steps = denominators[per as FractionalPercent_DenominatorType];
    return { text: JSON.stringify(value), number: undefined, flag: undefined, share, per: steps };
  }
  const text = String(value);
  const number = text !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
  const whole = number !== undefined && Number.isInteger(number) && number >= 0;
  const lower = text.toLowerCase();
  const flag = lower === "true" ? true : lower === "false" ? false : undefined;
  return { text, number, flag, share: whole ? Math.min(1, number / 100) : undefined, per: 100 };
}

const perName: Record<string, FractionalPercent_DenominatorType | undefined> = {
  HUNDRED: FractionalPercent_DenominatorType.HUNDRED,
  TEN_THOUSAND: FractionalPercent_DenominatorType.TEN_THOUSAND,
  MILLION: FractionalPercent_DenominatorType.MILLION,
};

const denominators: Record<FractionalPercent_DenominatorType, number> = {
  [FractionalPercent_DenominatorType.HUNDRED]: 100,
  [FractionalPercent_DenominatorType.TEN_THOUSAND]: 10_000,
  [FractionalPercent_DenominatorType.MILLION]: 1_000_000,
};
