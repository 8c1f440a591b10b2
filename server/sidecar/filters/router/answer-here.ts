import { ResponseFlag } from "../../record.ts";
import type { Exchange } from "../../request/exchange.ts";
import { redirectLocation } from "../../route/redirect-location.ts";

/** Whether its virtual host is for HTTPS only, and the request came without. */
export const needsTls = ({ host, scheme }: Exchange): boolean => host?.requireTls === true && scheme !== "https";

/** Answers what goes to no cluster: no route, a redirect, or an answer that stands in the configuration. */
export function answerHere(exchange: Exchange): void {
  const { route, manager } = exchange;
  if (needsTls(exchange)) {
    const location = `https://${exchange.authority}${exchange.path}`;
    exchange.reply(301, "", "direct_response", 0, ["location", location]);
    return;
  }
  if (route === undefined) {
    manager.stats.noRoute.inc();
    exchange.reply(404, "", "route_not_found", ResponseFlag.noRouteFound);
    return;
  }
  const { action } = route;
  if (action.kind === "forward") return;
  // Envoy counts redirects here too.
  manager.stats.direct.inc();
  if (action.kind === "direct") exchange.reply(action.status, action.body, "direct_response", 0);
  else exchange.reply(action.status, "", "direct_response", 0, ["location", redirectLocation(action, exchange)]);
}
