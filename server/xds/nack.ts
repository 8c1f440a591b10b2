/**
 * The wording of a refusal. xDS has one free-text message per response (`error_detail.message`), so which resource was refused
 * must be read out of it. Envoy's listener and cluster managers name each: `Error adding/updating listener(s) a: why\nb: why`;
 * our sidecar uses the same form for every type. Other types of Envoy give the bare reason.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#ack-nack-and-resource-type-instance-version
 */
export function formatRefusals(noun: string, errors: ReadonlyMap<string, string>): string {
  const lines = [...errors].map(([name, reason]) => `${name}: ${reason.replaceAll("\n", " ")}`);
  const message = `Error adding/updating ${noun}(s) ${lines.join("\n")}`;
  return message.length > maxMessageLength ? `${message.slice(0, maxMessageLength)}…` : message;
}

/** Longer ones would not fit in a gRPC header everywhere, and nobody reads them. */
const maxMessageLength = 8192;

/** The refused resources among those of the response, each with its reason; empty when the message names none of them. */
export function parseRefusals(message: string, names: Iterable<string>): Map<string, string> {
  const body = message.replace(/^Error adding\/updating [\w ]+\(s\) /, "");
  const starts: { name: string; from: number; reason: number }[] = [];
  for (const name of names) {
    const from = startOf(body, name);
    if (from !== undefined) starts.push({ name, from, reason: from + name.length + 2 });
  }
  starts.sort((a, b) => a.from - b.from);
  return new Map(
    starts.map(({ name, reason }, i) => [
      name,
      readableReason(body.slice(reason, starts[i + 1]?.from).replace(/[\s,]+$/, "")),
    ]),
  );
}

/**
 * Envoy puts a dump of the whole message before some reasons, in text format behind a marker; the reason is the last line.
 * Anything else is cut to what people read.
 */
export function readableReason(message: string): string {
  const reason = message.startsWith("goo.gle/debug") ? message.slice(message.lastIndexOf("\n: ") + 3) : message;
  return reason.length > maxReasonLength ? `${reason.slice(0, maxReasonLength)}…` : reason;
}

const maxReasonLength = 2000;

/** A name counts only where an entry can begin, because a reason may quote other names. */
function startOf(body: string, name: string): number | undefined {
  const needle = `${name}: `;
  for (let from = body.indexOf(needle); from >= 0; from = body.indexOf(needle, from + 1)) {
    if (from === 0 || body[from - 1] === "\n" || body.slice(from - 2, from) === ", ") return from;
  }
  return undefined;
}
