import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// A stalled machine is not a fault of the change that happens to be tested; a test that passes only when asked again is named at the end.
const secondTry = process.env.CI ? 1 : 0;

const everyPage = "e2e/pages.e2e.test.ts";
/** Whole meshes with a browser in front. */
const inBrowser = { retry: secondTry, testTimeout: 180_000, hookTimeout: 240_000 };

/** Files of a few lines that take minutes, the longest first: by size, which is Vitest's order, they would come last and alone. */
const long = ["e2e/changes.e2e.test.ts", "e2e/fleet.e2e.test.ts", "e2e/envoy.e2e.test.ts", "e2e/editor.e2e.test.ts"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      long.findIndex((file) => moduleId.endsWith(`/${file}`)) + 1 || long.length + 1;
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ["default", "./scripts/second-try-reporter.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{server,scripts,components,app}/**/*.test.{ts,tsx}"],
          exclude: ["**/node_modules/**", "**/*.integration.test.ts"],
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
          // Many of them have real sockets and processes, too.
          retry: secondTry,
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{server,e2e}/**/*.integration.test.ts"],
          sequence: { groupOrder: 1 },
          retry: secondTry,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Mostly waits: two take half as long as one, and no single one longer.
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          ...inBrowser,
          name: "e2e",
          include: ["e2e/**/*.e2e.test.ts"],
          exclude: [everyPage],
          sequence: { groupOrder: 2 },
          // They wait half of their time: two meshes beside each other.
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          ...inBrowser,
          name: "pages",
          include: [everyPage],
          sequence: { groupOrder: 3 },
          maxWorkers: 1,
          // Pages that only look, of the tests that say so: these leave nothing of two cores to anybody else.
          maxConcurrency: 3,
        },
      },
    ],
  },
});
