import { callService, type Handler, type Reply, type ServiceContext } from "./http-service.ts";
import { work } from "./latency.ts";
import type { Ratings, RatingsClient } from "./ratings-grpc.ts";

const notFound: Reply = { status: 404, body: { error: "not found" } };
const badId: Reply = { status: 400, body: { error: "please provide numeric product ID" } };

/** `/details/{id}`: what is known of a book. */
export function detailsService(): Handler {
  return async ({ url }) => {
    const id = idIn(url.pathname, "details");
    if (id === undefined) return notFound;
    if (id === null) return badId;
    await work(3);
    return {
      status: 200,
      body: {
        id,
        author: "William Shakespeare",
        year: 1595,
        type: "paperback",
        pages: 200,
        publisher: "PublisherA",
        language: "English",
        "ISBN-10": "1234567890",
        "ISBN-13": "123-1234567890",
      },
    };
  };
}

/** What ratings know, in memory. */
export class RatingsStore {
  readonly #stored = new Map<number, Ratings>();

  async get(id: number): Promise<Ratings> {
    await work(2.5);
    return this.#stored.get(id) ?? { Reviewer1: 5, Reviewer2: 4 };
  }

  set(id: number, ratings: Ratings): void {
    if (this.#stored.size < 1000) this.#stored.set(id, ratings);
  }
}

/** `/ratings/{id}`: stars by reviewer; POST replaces them. */
export function ratingsService(store = new RatingsStore()): Handler {
  return async ({ url, method, body }) => {
    const id = idIn(url.pathname, "ratings");
    if (id === undefined) return notFound;
    if (id === null) return badId;
    if (method === "POST") {
      const ratings = parseRatings(body);
      if (!ratings)
        return { status: 400, body: { error: "please provide valid ratings JSON: {reviewer: stars 1..5}" } };
      store.set(id, ratings);
    }
    return { status: 200, body: { id, ratings: await store.get(id) } };
  };
}

const reviewTexts = [
  ["Reviewer1", "An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!"],
  [
    "Reviewer2",
    "Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.",
  ],
] as const;

/** `/reviews/{id}`: v1 has no stars, v2 black ones, v3 red ones, fetched from ratings. */
export function reviewsService(context: ServiceContext): Handler {
  const color = ({ v2: "black", v3: "red" } as Record<string, string>)[context.version];
  return async ({ url, headers }) => {
    const id = idIn(url.pathname, "reviews");
    if (id === undefined) return notFound;
    if (id === null) return badId;
    const rating = color === undefined ? () => ({}) : await ratingsFor(context, id, headers, color);
    await work(color === undefined ? 5 : 7);
    return {
      status: 200,
      body: {
        id: String(id),
        podname: `reviews-${context.version}`,
        clustername: "limpid",
        reviews: reviewTexts.map(([reviewer, text]) => ({ reviewer, text, ...rating(reviewer) })),
      },
    };
  };
}

async function ratingsFor(
  context: ServiceContext,
  id: number,
  headers: Parameters<typeof callService>[3],
  color: string,
) {
  // v3 is the impatient one: Bookinfo's reviews wait 2.5 s for stars, and 10 s in v2.
  const timeoutMs = color === "red" ? 2500 : 10_000;
  const ask = context.grpcRatings ?? ((...call) => ratingsOverHttp(context, ...call));
  const stars = await ask(id, headers, timeoutMs);
  return (reviewer: string) => ({
    rating: stars ? { stars: stars[reviewer] ?? -1, color } : { error: "Ratings service is currently unavailable" },
  });
}

async function ratingsOverHttp(context: ServiceContext, ...[id, headers, timeoutMs]: Parameters<RatingsClient>) {
  const answer = await callService(context, "ratings:9080", `/ratings/${id}`, headers, timeoutMs);
  return answer.status === 200 ? (answer.body as { ratings?: Ratings }).ratings : undefined;
}

/** The id in `/{collection}/{id}`; null when it is no number, undefined when the path is another. */
function idIn(pathname: string, collection: string): number | null | undefined {
  const [, first, second, ...rest] = pathname.split("/");
  if (first !== collection || second === undefined || rest.length > 0) return undefined;
  return /^\d{1,9}$/.test(second) ? Number(second) : null;
}

function parseRatings(body: string): Ratings | undefined {
  try {
    const entries = Object.entries(JSON.parse(body) as Record<string, unknown>).slice(0, 100);
    const valid = entries.every(([, stars]) => typeof stars === "number" && stars >= 1 && stars <= 5);
    return valid && entries.length > 0 ? (Object.fromEntries(entries) as Ratings) : undefined;
  } catch {
    return undefined;
  }
}
