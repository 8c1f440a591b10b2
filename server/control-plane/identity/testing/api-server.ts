import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { openHostAuthority } from "../../../ca/host-authority.ts";
import { systemClock as clock } from "../../../lib/clock.ts";

/** Whose token it is, and for whom it was made. */
export interface Account {
  username: string;
  audiences: string[];
}

export interface TestApiServer {
  url: string;
  /** PEM, of its own authority. */
  ca: string;
  /** What it was asked: the token of each review. */
  reviewed: string[];
  accounts: Map<string, Account>;
  /** In place of every answer, until it is unset. */
  failing: { status: number; text: string } | undefined;
  close(): Promise<void>;
}

/** What answers TokenReviews as kube-apiserver does: over TLS, and to whoever shows the reviewer's own token. */
export async function startApiServer(folder: string, reviewerToken: string): Promise<TestApiServer> {
  const authority = await openHostAuthority(folder, { clock, organization: "kubernetes" });
  const { keyPem, chainPem } = await authority.issue({ names: { ips: ["127.0.0.1"] }, ttlSec: 3600 });
  const accounts = new Map<string, Account>();
  const reviewed: string[] = [];
  const server = createServer({ key: keyPem, cert: chainPem }, (request, response) => {
    void answer(request).then(({ status, text }) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(text);
    });
  });
  const made: TestApiServer = {
    url: "",
    ca: authority.rootPem,
    reviewed,
    accounts,
    failing: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  async function answer(request: IncomingMessage): Promise<{ status: number; text: string }> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (made.failing) return made.failing;
    const isKnown = request.headers.authorization === `Bearer ${reviewerToken}`;
    const failure = (code: number, message: string) => ({
      status: code,
      text: JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message, code }),
    });
    if (!isKnown) return failure(401, "Unauthorized");
    if (request.method !== "POST" || request.url !== "/apis/authentication.k8s.io/v1/tokenreviews")
      return failure(404, "the server could not find the requested resource");
    const { spec, ...review } = JSON.parse(Buffer.concat(parts).toString("utf8"));
    reviewed.push(spec.token);
    const account = accounts.get(spec.token);
    const meant = account?.audiences.filter((audience) => spec.audiences.includes(audience)) ?? [];
    const status =
      account && meant.length > 0
        ? { authenticated: true, user: { username: account.username, uid: "1" }, audiences: meant }
        : { user: {}, error: account ? "token audiences do not match" : "[invalid bearer token]" };
    return { status: 201, text: JSON.stringify({ ...review, spec, status }) };
  }
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  made.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return made;
}
