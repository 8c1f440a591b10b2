import type { CelValue } from "@bufbuild/cel";

type Cel = typeof import("@bufbuild/cel");

/** What an expression's value is in a text, as Envoy writes it. */
export function print(value: CelValue, cel: Cel): string {
  if (value === null) return "NULL";
  switch (typeof value) {
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return double(value);
    case "string":
      return value;
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (cel.isCelUint(value)) return String(value.value);
  if (cel.isCelMap(value)) return "CelMap value";
  if (cel.isCelList(value)) return "CelList value";
  if (cel.isCelType(value)) return "CelType value";
  const { $typeName: name, ...fields } = value.message;
  const time = timeOf(fields);
  if (time !== undefined && name === "google.protobuf.Duration") return duration(time.seconds, time.nanos);
  if (time !== undefined && name === "google.protobuf.Timestamp") return timestamp(time.seconds, time.nanos);
  return debugText(fields);
}

/** A message as protobuf shows it to people: what is set of it, in one line. Its fields are texts: a locality's. */
function debugText(fields: object): string {
  const parts = Object.entries(fields).map(([name, value]) => {
    if (typeof value !== "string" || value === "") return "";
    return `${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}: "${escaped(value)}" `;
  });
  return parts.join("");
}

/** As a literal of C: bytes that are not ASCII in octal. */
const escaped = (text: string): string =>
  Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/[^ -!#-&(-[\]-~]/g, (char) => {
      const short = { "\n": "n", "\r": "r", "\t": "t", '"': '"', "'": "'", "\\": "\\" }[char];
      return `\\${short ?? char.charCodeAt(0).toString(8).padStart(3, "0")}`;
    });

/** Six digits, as C's `%g`. */
function double(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const exponent = value === 0 ? 0 : Number(value.toExponential(5).split("e")[1]);
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  const [digits = "", power = ""] = Number(value.toPrecision(6)).toExponential().split("e");
  return `${digits}e${power.startsWith("-") ? "-" : "+"}${power.slice(1).padStart(2, "0")}`;
}

function timeOf(fields: object): { seconds: bigint; nanos: number } | undefined {
  if (!("seconds" in fields && "nanos" in fields)) return undefined;
  const { seconds, nanos } = fields;
  return typeof seconds === "bigint" && typeof nanos === "number" ? { seconds, nanos } : undefined;
}

/** Seconds with as many digits behind the point as there are. */
function timestamp(seconds: bigint, nanos: number): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${nanos === 0 ? "" : `.${trimmed(nanos, 9)}`}+00:00`;
}

/** `1h2m3.5s`; below a second in the largest unit that there is one of. */
function duration(seconds: bigint, nanos: number): string {
  const total = seconds * 1_000_000_000n + BigInt(nanos);
  if (total < 0n) return `-${duration(-total / 1_000_000_000n, Number(-total % 1_000_000_000n))}`;
  if (total === 0n) return "0";
  for (const [unit, digits] of smallUnits) {
    const one = 10n ** BigInt(digits);
    if (total < 1_000_000_000n && total >= one) return `${total / one}${fraction(total % one, digits)}${unit}`;
  }
  const [hours, minutes] = [seconds / 3600n, (seconds / 60n) % 60n];
  const rest = total % 60_000_000_000n;
  const last = rest === 0n ? "" : `${rest / 1_000_000_000n}${fraction(rest % 1_000_000_000n, 9)}s`;
  return `${hours > 0n ? `${hours}h` : ""}${minutes > 0n ? `${minutes}m` : ""}${last}`;
}

const smallUnits: readonly (readonly [string, number])[] = [
  ["ms", 6],
  ["us", 3],
  ["ns", 0],
];

const fraction = (rest: bigint, digits: number): string => (rest === 0n ? "" : `.${trimmed(Number(rest), digits)}`);

const trimmed = (value: number, digits: number): string => String(value).padStart(digits, "0").replace(/0+$/, "");
