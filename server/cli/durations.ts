import { parseGoDuration } from "../lib/go-duration.ts";
import { CliError } from "./config/io.ts";

/** Milliseconds. Throws a CliError naming the option. */
export function duration(option: string, text: string): number {
  const ms = parseGoDuration(text);
  if (ms === undefined || ms < 0)
    throw new CliError(`error: --${option} ${text}: must be a duration such as 250ms, 90s, 15m or 6h`);
  return ms;
}

/** As `duration`; a number alone is milliseconds, as the API has it. */
export const millisecondsOf = (option: string, text: string): number =>
  isNumber(text) ? Number(text) : duration(option, text);

/** Whole seconds; a number alone is seconds, as the API has it. */
export const secondsOf = (option: string, text: string): number =>
  isNumber(text) ? Number(text) : Math.ceil(duration(option, text) / 1000);

const isNumber = (text: string): boolean => /^\d+(?:\.\d+)?$/.test(text);
