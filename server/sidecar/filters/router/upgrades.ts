import type { Exchange } from "../../request/exchange.ts";
import type { ForwardTarget } from "../../route/compile-route.ts";

/** Whether a request may switch to the protocol that it asks for, if it asks. */
export function allowsUpgrade(exchange: Exchange, action: ForwardTarget): boolean {
  const protocol = exchange.upgrade;
  if (protocol === "") return true;
  if (protocol === "h2c" || protocol.startsWith("h2c,")) {
    // RFC 9113 has dropped it; Envoy ignores it.
    exchange.upgrade = "";
    return true;
  }
  return action.upgrades.get(protocol) ?? exchange.manager.options.upgrades.has(protocol);
}
