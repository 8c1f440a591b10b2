import type { ReceiverRequest } from "../contract/index.ts";

const timeoutMs = 10_000;

/** Sends one message. Resolves with null, or with why it was not taken; the address, which is a key, is not in that. */
export async function post({ url, authorization }: ReceiverRequest, body: unknown): Promise<string | null> {
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
    return answer.ok ? null : `answered ${answer.status}`;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return `no answer within ${timeoutMs / 1000} s`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code } = cause as NodeJS.ErrnoException;
  return code ?? (cause instanceof Error ? cause.name : "failed");
}
