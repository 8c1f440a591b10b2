import { afterEach, expect, test } from "vitest";
import { MemoryConfigStore } from "../../../config/memory-store.ts";
import { StorageError } from "../../../config/store.ts";
import { type ApiHarness, startApi } from "../testing/api-harness.ts";

let api: ApiHarness;
afterEach(() => api.close());

class FullDisk extends MemoryConfigStore {
  override async check(): Promise<void> {
    throw new StorageError("the config database config.db can't be written (SQLITE_FULL: database or disk is full)");
  }
}
const text = async (path: string) => {
  const response = await fetch(api.url + path);
  return { status: response.status, text: await response.text() };
};

test("ready means that changes can be written; live, that the process answers", async () => {
  api = await startApi({ store: new FullDisk(), checks: () => [{ name: "mesh", problem: undefined }] });
  for (const path of ["/readyz", "/healthz"]) {
    expect(await api.call("GET", path)).toMatchObject({
      status: 503,
      body: {
        status: "failed",
        checks: [
          { name: "ping", ok: true },
          { name: "started", ok: true },
          { name: "config-store", ok: false, message: expect.stringContaining("SQLITE_FULL") },
          { name: "mesh", ok: true },
        ],
      },
    });
  }
  expect(await api.call("GET", "/livez")).toMatchObject({ status: 200, body: { status: "ok" } });
});

test("?verbose lists the checks, and one can be asked for or left out, as in kube-apiserver", async () => {
  api = await startApi({ store: new FullDisk() });
  expect(await text("/readyz?verbose")).toEqual({
    status: 503,
    text: `[+]ping ok
[+]started ok
[-]config-store failed: the config database config.db can't be written (SQLITE_FULL: database or disk is full)
readyz check failed
`,
  });
  expect(await text("/readyz?verbose&exclude=config-store")).toEqual({
    status: 200,
    text: "[+]ping ok\n[+]started ok\nreadyz check passed\n",
  });
  expect((await text("/readyz/ping")).status).toBe(200);
  expect((await text("/readyz/config-store")).status).toBe(503);
  expect(await api.call("GET", "/readyz/nothing")).toMatchObject({
    status: 404,
    body: { message: "there is no check nothing; they are ping, started, config-store" },
  });
  expect((await text("/readyz?exclude=nothing")).status).toBe(400);
});

test("a control plane that is not ready says so", async () => {
  api = await startApi({ ready: () => false });
  expect((await text("/readyz?verbose")).text).toContain("[-]started failed: the control plane is not ready yet");
});
