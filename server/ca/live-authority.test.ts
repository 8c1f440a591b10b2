import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { systemClock as clock } from "../lib/clock.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { authorityFiles } from "./authority-files.ts";
import { openLiveAuthority } from "./live-authority.ts";
import { rotateRoot } from "./rotate-root.ts";
import { tempFolder } from "./testing/tls.ts";

it("follows its files, and stays what it was while they don't fit each other", async () => {
  const [folder, clean] = await tempFolder();
  onTestFinished(clean);
  const authority = await openLiveAuthority(folder, { clock, trustDomain: "cluster.local", logger });
  onTestFinished(() => authority.stop());
  let changes = 0;
  authority.onChange?.(() => {
    changes += 1;
  });
  const before = authority.rootPem;
  await authority.refresh();
  expect(changes).toBe(0);
  await rotateRoot(folder, { now: clock.now() });
  await authority.refresh();
  const both = authority.rootPem;
  expect([changes, both.startsWith(before), both.length > before.length]).toEqual([1, true, true]);
  await writeFile(join(folder, authorityFiles.certificate), "half of a");
  await authority.refresh();
  expect([changes, authority.rootPem]).toEqual([1, both]);
  expect((await authority.issue({ spiffeUri: "spiffe://cluster.local/ns/a/sa/b", ttlSec: 60 })).serial).not.toBe("");
});
