/** The page that a person opens at `/productpage`. No script, no outside resource. */
export interface ProductPageData {
  title: string;
  user: string | undefined;
  details: { status: number; body: unknown };
  reviews: { status: number; body: unknown };
}

interface Review {
  reviewer: string;
  text: string;
  rating?: { stars?: number; color?: string; error?: string };
}

export function renderProductPage(data: ProductPageData): string {
  const answer = data.reviews.body as { reviews?: Review[]; podname?: string } | undefined;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(data.title)} · Bookinfo on Limpid</title><style>${style}</style></head><body><main>
<header><h1>${escapeHtml(data.title)}</h1>${sessionForm(data.user)}</header>
<p class="lead">One of William Shakespeare's early plays: two pairs of twins, one town, a single day of mistaken identities.</p>
<div class="columns"><section><h2>Details</h2>${detailsTable(data.details)}</section>
<section><h2>Reviews <small>${answer?.podname ? `served by ${escapeHtml(answer.podname)}` : ""}</small></h2>${reviewList(data.reviews.status, answer?.reviews)}</section></div>
<footer>Every call on this page went through the mesh: productpage asked details and reviews, reviews v2 and v3 asked ratings.</footer>
</main></body></html>`;
}

function detailsTable({ status, body }: ProductPageData["details"]): string {
  if (status !== 200 || typeof body !== "object" || body === null) {
    return `<p class="error">Details are unavailable (${status === 0 ? "no answer in time" : `status ${status}`}).</p>`;
  }
  const rows = Object.entries(body).filter(([key]) => key !== "id");
  return `<dl>${rows.map(([key, value]) => `<dt>${escapeHtml(key)}</dt><dd>${escapeHtml(String(value))}</dd>`).join("")}</dl>`;
}

function reviewList(status: number, reviews: Review[] | undefined): string {
  if (status !== 200 || !reviews) {
    return `<p class="error">Reviews are unavailable (${status === 0 ? "no answer in time" : `status ${status}`}).</p>`;
  }
  return reviews
    .map(
      (review) =>
        `<blockquote><p>${escapeHtml(review.text)}</p>${stars(review.rating)}<cite>${escapeHtml(review.reviewer)}</cite></blockquote>`,
    )
    .join("");
}

function stars(rating: Review["rating"]): string {
  if (!rating) return "";
  if (rating.error !== undefined) return `<p class="error">${escapeHtml(rating.error)}</p>`;
  const count = Math.max(0, Math.min(5, Math.round(rating.stars ?? 0)));
  return `<p class="stars ${rating.color === "red" ? "red" : "black"}" aria-label="${count} of 5 stars">${"★".repeat(count)}${"☆".repeat(5 - count)}</p>`;
}

const sessionForm = (user: string | undefined): string =>
  user === undefined
    ? '<form method="post" action="/login"><label>Name <input name="username" maxlength="40" required></label> <button>Sign in</button></form>'
    : `<span>${escapeHtml(user)} · <a href="/logout">Sign out</a></span>`;

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const style = `:root{color-scheme:light dark}body{margin:0;font:16px/1.5 system-ui,sans-serif;background:light-dark(#f4f8f8,#0c1417);color:light-dark(#0d2228,#e4eef0)}
main{max-width:880px;margin:0 auto;padding:32px 20px}header{display:flex;flex-wrap:wrap;gap:12px;align-items:baseline;justify-content:space-between}
h1{font-size:28px;margin:0}h2{font-size:16px}small,footer,.lead,dt{color:light-dark(#47626b,#9db2b9);font-weight:400}.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:32px}
dl{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:0}dd{margin:0}blockquote{margin:0 0 20px;padding-left:14px;border-left:3px solid light-dark(#0b8f84,#37c8ba)}blockquote p{margin:0 0 4px}
.stars{letter-spacing:2px}.stars.red{color:light-dark(#d23a26,#ff6b57)}.error{color:light-dark(#b5740a,#e8a93c)}footer{margin-top:32px;font-size:13px}input,button{font:inherit;padding:3px 8px}a{color:inherit}`;
