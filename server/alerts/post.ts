import { type AlertFailure, type ReceiverRequest, told } from "../contract/index.ts";

/** A receiver that takes a message slowly has taken it all the same: who gives up early tells it twice. */
const patienceMs = 60_000;

/** Sends one message. Resolves with null, or with why it was not taken; the address, which is a key, is not in that. */
export async function post(
  { url, authorization }: ReceiverRequest,
  body: unknown,
  timeoutMs = patienceMs,
): Promise<AlertFailure | null> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "limpid", ...(authorization && { authorization }) },
      body: JSON.stringify(body),
      // Whoever is told was named: nobody else by way of it.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
    return answer.ok ? null : told("receiver-answered", { status: answer.status });
  } catch (error) {
    return reasonOf(error, timeoutMs);
  }
}

function reasonOf(error: unknown, timeoutMs: number): AlertFailure {
  if (error instanceof DOMException && error.name === "TimeoutError")
    return told("receiver-slow", { sec: timeoutMs / 1000 });
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return told("receiver-refused", {});
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return told("receiver-unknown", {});
  // Texts of what fetch refuses by itself (`bad port`) are short; one that names an address is not passed on.
  const said = cause instanceof Error && !cause.message.includes("/") ? cause.message : "failed";
  return told("receiver-unreachable", { why: code ?? said });
}
