import type { ForwardTarget } from "../../route/compile-route.ts";
import { call } from "../../upstream/call.ts";
import type { Router } from "./router.ts";
import { upstreamHead } from "./upstream-headers.ts";

/** Sends copies of a whole request to the route's mirrors and forgets them; the clusters' circuit breakers bound how many are under way. */
export function sendMirrors(router: Router, action: ForwardTarget, body: readonly Buffer[]): void {
  const { manager, authority, stream } = router.exchange;
  for (const mirror of action.mirrors) {
    const cluster = manager.clusters.get(mirror.cluster);
    if (cluster === undefined || !manager.runtime.draws(mirror.share, manager.random)) continue;
    const head = upstreamHead(router);
    // Envoy tells the mirror's request apart by `-shadow` on the host, before its port.
    if (!mirror.keepHost) head.authority = authority.replace(/(:\d+)?$/, "-shadow$1");
    // The copy is written later than the request itself, whose fields go on changing.
    head.headers = [...head.headers];
    // Nobody waits for a mirror, so it never waits for ever.
    const timeoutMs = router.timeouts.timeoutMs || unlimitedMs;
    call(cluster, { head, body, timeoutMs, maxBytes: 0, discard: true, like: stream.protocol });
  }
}

const unlimitedMs = 15_000;
