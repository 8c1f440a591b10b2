/**
 * Compiles the argument of `%START_TIME(…)%`: strftime in UTC or, where `local`, in the process' own zone, with Envoy's `%s`, `%f` and `%3f` and absl's `%E3S`.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter#start-time
 * @returns from Unix milliseconds to text. Throws an Error that names an unknown specifier.
 */
export function compileTime(pattern: string, local = false): (unixMs: number) => string {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: text, index } of pattern.matchAll(/%(?:E[1-9*]S|[1-9]?f|[A-Za-z%])/g)) {
    parts.push(literal(pattern.slice(end, index)), partOf(text));
    end = index + text.length;
  }
  parts.push(literal(pattern.slice(end)));
  return (unixMs) => {
    const offset = local ? -new Date(unixMs).getTimezoneOffset() : 0;
    // Read as if it were UTC, a time that is moved by its zone's offset is the local one.
    const date = new Date(unixMs + offset * 60_000);
    return parts.map((part) => (typeof part === "string" ? part : part(date, unixMs, offset))).join("");
  };
}

/** `offset` in minutes. */
type Part = string | ((date: Date, unixMs: number, offset: number) => string);

function literal(text: string): string {
  if (text.includes("%")) throw new Error(`time format: ${JSON.stringify(text)} is not supported`);
  return text;
}

function partOf(specifier: string): Part {
  const name = specifier.slice(1);
  if (name === "f") return (_, unixMs) => fraction(unixMs, 9);
  if (/^[1-9]f$/.test(name)) return (_, unixMs) => fraction(unixMs, Number(name[0]));
  if (/^E[1-9]S$/.test(name)) return (date, ms) => `${two(date.getUTCSeconds())}.${fraction(ms, Number(name[1]))}`;
  const part = simple[name];
  if (part === undefined) throw new Error(`time format: ${specifier} is not supported`);
  return part;
}

/** Digits after the decimal point of the second. A double keeps microseconds of a Unix time in milliseconds. */
const fraction = (unixMs: number, digits: number): string =>
  (Math.floor((((unixMs % 1000) + 1000) % 1000) * 1000) * 1000).toString().padStart(9, "0").slice(0, digits);

const two = (value: number): string => String(value).padStart(2, "0");
const short = (date: Date, options: Intl.DateTimeFormatOptions) =>
  date.toLocaleString("en-US", { timeZone: "UTC", ...options });
const dayOfYear = (date: Date): number =>
  (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 0)) /
  86_400_000;
const isoDay = (date: Date): string => date.toISOString().slice(0, 10);
const isoTime = (date: Date): string => date.toISOString().slice(11, 19);
const twelve = (date: Date): number => date.getUTCHours() % 12 || 12;

const zoneName = (unixMs: number): string =>
  new Intl.DateTimeFormat("en-US", { timeZoneName: "short" })
    .formatToParts(unixMs)
    .find(({ type }) => type === "timeZoneName")?.value ?? "";

const simple: Record<string, Part | undefined> = {
  "%": "%",
  n: "\n",
  t: "\t",
  Y: (date) => String(date.getUTCFullYear()),
  C: (date) => two(Math.floor(date.getUTCFullYear() / 100)),
  y: (date) => two(date.getUTCFullYear() % 100),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  e: (date) => String(date.getUTCDate()).padStart(2, " "),
  j: (date) => String(dayOfYear(date)).padStart(3, "0"),
  H: (date) => two(date.getUTCHours()),
  I: (date) => two(twelve(date)),
  p: (date) => (date.getUTCHours() < 12 ? "AM" : "PM"),
  M: (date) => two(date.getUTCMinutes()),
  S: (date) => two(date.getUTCSeconds()),
  a: (date) => short(date, { weekday: "short" }),
  A: (date) => short(date, { weekday: "long" }),
  b: (date) => short(date, { month: "short" }),
  h: (date) => short(date, { month: "short" }),
  B: (date) => short(date, { month: "long" }),
  u: (date) => String(date.getUTCDay() || 7),
  w: (date) => String(date.getUTCDay()),
  F: isoDay,
  T: isoTime,
  R: (date) => isoTime(date).slice(0, 5),
  D: (date) => `${two(date.getUTCMonth() + 1)}/${two(date.getUTCDate())}/${two(date.getUTCFullYear() % 100)}`,
  z: (_, __, offset) =>
    `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`,
  Z: (_, unixMs, offset) => (offset === 0 ? "UTC" : zoneName(unixMs)),
  s: (_, unixMs) => String(Math.floor(unixMs / 1000)),
};
