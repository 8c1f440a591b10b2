import { type Call, callService, type Handler, type Reply, type ServiceContext } from "./http-service.ts";
import { work } from "./latency.ts";
import { renderProductPage } from "./productpage-html.ts";

const product = {
  id: 0,
  title: "The Comedy of Errors",
  descriptionHtml:
    '<a href="https://en.wikipedia.org/wiki/The_Comedy_of_Errors">Wikipedia Summary</a>: The Comedy of Errors is one of <b>William Shakespeare\'s</b> early plays.',
};

/** The front of the demo: a page for people, and Bookinfo's API. Reviews get 3 s and one more try, details 3 s. */
export function productpageService(context: ServiceContext): Handler {
  return async (call) => {
    const { pathname } = call.url;
    if (pathname === "/login" || pathname === "/logout") return session(call);
    await work(2);
    if (pathname === "/productpage" || pathname === "/") return page(context, call);
    const api = /^\/api\/v1\/products(?:\/(\d{1,9})(?:\/(reviews|ratings))?)?$/.exec(pathname);
    if (!api) return { status: 404, body: { error: "not found" } };
    const [, id, part] = api;
    if (id === undefined) return { status: 200, body: [product] };
    if (part === "reviews") return passOn(await reviews(context, call, id));
    if (part === "ratings")
      return passOn(await callService(context, "ratings:9080", `/ratings/${id}`, withUser(call), 3000));
    return passOn(await callService(context, "details:9080", `/details/${id}`, withUser(call), 3000));
  };
}

async function page(context: ServiceContext, call: Call): Promise<Reply> {
  const [details, review] = await Promise.all([
    callService(context, "details:9080", "/details/0", withUser(call), 3000),
    reviews(context, call, "0"),
  ]);
  return {
    status: 200,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
    body: renderProductPage({ title: product.title, user: userOf(call), details, reviews: review }),
  };
}

async function reviews(context: ServiceContext, call: Call, id: string) {
  const first = await callService(context, "reviews:9080", `/reviews/${id}`, withUser(call), 3000);
  return first.status === 200 ? first : callService(context, "reviews:9080", `/reviews/${id}`, withUser(call), 3000);
}

const passOn = (answer: { status: number; body: unknown }): Reply =>
  answer.status === 0
    ? { status: 503, body: { error: "the service behind it gave no answer in time" } }
    : { status: answer.status, body: answer.body ?? { error: `answered ${answer.status}` } };

/** Bookinfo's canary by user: the signed-in name travels as the `end-user` header. */
const withUser = (call: Call) => {
  const user = userOf(call);
  return user === undefined ? call.headers : { ...call.headers, "end-user": user };
};

function userOf(call: Call): string | undefined {
  const cookie = /(?:^|;\s*)user=([A-Za-z0-9_.-]{1,40})/.exec(call.headers.cookie ?? "");
  return cookie?.[1];
}

function session(call: Call): Reply {
  const name =
    new URLSearchParams(call.body)
      .get("username")
      ?.replace(/[^A-Za-z0-9_.-]/g, "")
      .slice(0, 40) ?? "";
  const signIn = call.url.pathname === "/login" && call.method === "POST" && name !== "";
  return {
    status: 302,
    headers: {
      location: "/productpage",
      "set-cookie": signIn ? `user=${name}; Path=/; HttpOnly; SameSite=Lax` : "user=; Path=/; Max-Age=0",
    },
    body: "",
  };
}
