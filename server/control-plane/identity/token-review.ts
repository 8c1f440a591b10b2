import { createHash } from "node:crypto";
import { z } from "zod";
import type { Authenticate } from "../../grpc/guarded-tls.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { spiffeUri } from "../../lib/spiffe.ts";
import type { ApiServerCall } from "./kubernetes-api.ts";

/** Whose token it is, or why it is nobody's. `unavailable`: the API server could not be asked, so that the same token may be good later. */
export type Review = { namespace: string; serviceAccount: string } | { refused: string; unavailable?: boolean };

export interface TokenReviewer {
  /** Never rejects. */
  review(token: string): Promise<Review>;
}

export interface TokenReviewOptions {
  /** Sends one call to the API server; rejects when there is no answer. */
  call: ApiServerCall;
  /** One of these a token must be made for. */
  audiences: readonly string[];
  clock: Clock;
  logger: Pick<Logger, "warn">;
}

/** What a token is worth is remembered for so long: an agent asks again and again, and a deleted account should not live on. */
const goodForMs = 10_000;
const badForMs = 5_000;
const maxRemembered = 2_000;
const maxWaiting = 500;
const maxAtOnce = 16;
const maxTokenBytes = 16 * 1024;

const answerSchema = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    error: z.string().default(""),
    user: z.object({ username: z.string().default("") }).prefault({}),
    audiences: z.array(z.string()).nullish(),
  }),
});

/**
 * Asks a Kubernetes API server whose service-account token this is. As istiod does, a token must be of a service account and for an audience of ours.
 * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
 */
export function createTokenReviewer({ call, audiences, clock, logger }: TokenReviewOptions): TokenReviewer {
  const known = new Map<string, { review: Promise<Review>; untilMs: number }>();
  const waiting: (() => void)[] = [];
  let running = 0;

  const turn = async (): Promise<boolean> => {
    if (running < maxAtOnce) running += 1;
    else {
      if (waiting.length >= maxWaiting) return false;
      await new Promise<void>((go) => waiting.push(go)); // whoever ends hands its place on
    }
    return true;
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };

  const ask = async (token: string): Promise<Review> => {
    if (!(await turn())) return { refused: "too many tokens are being looked at", unavailable: true };
    try {
      return readReview(await call("POST", reviewPath, reviewOf(token, audiences)), audiences);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      logger.warn({ err: error }, "the Kubernetes API server could not be asked whose token this is");
      return { refused: `the Kubernetes API server could not be asked: ${why}`, unavailable: true };
    } finally {
      leave();
    }
  };

  return {
    async review(token) {
      if (Buffer.byteLength(token) > maxTokenBytes)
        return { refused: `a token has ${maxTokenBytes} bytes at the most` };
      const key = createHash("sha256").update(token).digest("base64");
      const found = known.get(key);
      if (found && found.untilMs > clock.now()) return found.review;
      const entry = { review: ask(token), untilMs: clock.now() + goodForMs };
      known.delete(key);
      known.set(key, entry);
      if (known.size > maxRemembered) known.delete(known.keys().next().value ?? "");
      const review = await entry.review;
      if ("refused" in review) entry.untilMs = review.unavailable ? 0 : clock.now() + badForMs;
      return review;
    },
  };
}

/** The SPIFFE id of a token's account, in this mesh's trust domain. */
export const authenticateBy =
  (reviewer: TokenReviewer, trustDomain: string): Authenticate =>
  async (token) => {
    const review = await reviewer.review(token);
    return "refused" in review ? review : { identity: spiffeUri({ trustDomain, ...review }) };
  };

const reviewPath = "/apis/authentication.k8s.io/v1/tokenreviews";

const reviewOf = (token: string, audiences: readonly string[]) => ({
  apiVersion: "authentication.k8s.io/v1",
  kind: "TokenReview",
  spec: { token, audiences },
});

/** Throws an Error for an answer that says nothing of the token. */
function readReview({ status, text }: { status: number; text: string }, audiences: readonly string[]): Review {
  if (status !== 200 && status !== 201) throw new Error(`it answered ${status}: ${messageOf(text)}`);
  const answer = answerSchema.safeParse(parsed(text));
  if (!answer.success) throw new Error("its answer is no TokenReview");
  const { authenticated, error, user, audiences: meant } = answer.data.status;
  if (!authenticated) return { refused: error || "the Kubernetes API server does not know the token" };
  // An API server that knows nothing of audiences leaves them out: then nobody has looked at them.
  if (!meant?.some((audience) => audiences.includes(audience)))
    return { refused: `the token is not for the audience ${audiences.join(" or ")}` };
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:/]+):([^:/]+)$/.exec(user.username) ?? [];
  if (namespace === undefined || serviceAccount === undefined)
    return { refused: `the token is of ${JSON.stringify(user.username)}, which is no service account` };
  return { namespace, serviceAccount };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const messageOf = (text: string): string => {
  const { data } = z.object({ message: z.string() }).safeParse(parsed(text));
  return (data?.message ?? "no reason").slice(0, 500);
};
