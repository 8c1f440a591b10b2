import { defineConfig } from "vitest/config";

// A stalled machine is not a fault of the change that happens to be tested; a test that passes only when asked again is named at the end.
const secondTry = process.env.CI ? 1 : 0;

export default defineConfig({
  test: {
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
          name: "e2e",
          include: ["e2e/**/*.e2e.test.ts"],
          sequence: { groupOrder: 2 },
          retry: secondTry,
          testTimeout: 180_000,
          hookTimeout: 240_000,
          // One after another: beside each other they take as long together, and now and then longer than a test waits.
          maxWorkers: 1,
          // Pages that only look, of the tests that say so.
          maxConcurrency: 3,
        },
      },
    ],
  },
});
