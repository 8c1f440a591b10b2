import { expect, it } from "vitest";
import type { ChangeResult, ShareChange } from "../../contract/index.ts";
import { checkText, isDoubtful } from "./check.ts";

const result = (over: Partial<ChangeResult>): ChangeResult => ({
  revision: 1,
  dryRun: true,
  objects: [{ kind: "Gateway", namespace: "default", name: "shop", before: "a: 1\n", after: "a: 2\n" }],
  proxies: 1,
  warnings: [],
  shares: [],
  ...over,
});

const share = (over: Partial<ShareChange>): ShareChange => ({
  virtualService: "default/echo",
  list: "http",
  rule: 0,
  matches: [],
  hostname: "echo.shop.test",
  subset: "v1",
  before: 100,
  after: 100,
  endpoints: 0,
  ...over,
});

it("says which proxies would refuse it, of which field, in their words", () => {
  const refused = result({
    refusals: [
      {
        type: "LDS",
        resource: "0.0.0.0_8443",
        detail: "TLSv1_0 is not supported",
        proxies: ["istio-ingressgateway", "second"],
        object: { kind: "Gateway", namespace: "default", name: "shop" },
        place: { line: 12, path: "servers[0].tls.minProtocolVersion" },
      },
    ],
  });
  expect(isDoubtful(refused)).toBe(true);
  expect(checkText(refused)).toContain(`These proxies would refuse it, and go on as before:
  istio-ingressgateway, second: LDS 0.0.0.0_8443
    from Gateway default/shop spec.servers[0].tls.minProtocolVersion (line 12 as it is stored)
    TLSv1_0 is not supported
`);
  expect(isDoubtful(result({ refusals: [] }))).toBe(false);
});

it("says of requests that lose who takes them why that is", () => {
  const text = checkText(
    result({
      shares: [
        share({ lost: "endpoints" }),
        share({ lost: "service", virtualService: "", subset: null }),
        share({ lost: "route", after: 0 }),
        share({ lost: "gateway", hostname: "default/door", subset: null }),
      ],
    }),
  );
  expect(text).toContain("100 % of default/echo http[0] to echo.shop.test subset v1, which loses its last endpoint");
  expect(text).toContain("all calls to echo.shop.test, which loses its last endpoint");
  expect(text).toContain("no rule takes them any more (404)");
  expect(text).toContain("all that enters by gateway default/door, where default/echo waits for it");
});

it("says of connections that they are closed: nobody answers them", () => {
  const dead = { list: "tcp", before: 0, after: 100, endpoints: 0 } as const;
  expect(checkText(result({ shares: [share(dead)] }))).toContain(
    "100 % of the connections to echo.shop.test subset v1: closed at once",
  );
  expect(checkText(result({ shares: [share({ ...dead, lost: "route", before: 100, after: 0 })] }))).toContain(
    "no rule takes them any more (closed)",
  );
});
