import type { Reporter, TestModule } from "vitest/node";

/** Of what was expected and what was there. */
const maxLines = 40;

/**
 * Names, at the very end of a run, every test that passed only when it was asked again. Tests on real processes get one second try in
 * CI, where whole machines stall; each one named here is a fault to be found all the same.
 */
export default class SecondTryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const flaky = modules.flatMap((module) =>
      [...module.children.allTests()].filter((test) => test.diagnostic()?.flaky).map((test) => [module, test] as const),
    );
    if (flaky.length === 0) return;
    console.warn(`\n${flaky.length} passed only when asked again. Each is a fault to be found:`);
    for (const [module, test] of flaky) {
      console.warn(`  ${module.relativeModuleId} > ${test.fullName}`);
      for (const { message, diff = "", stack = "" } of test.result().errors ?? []) {
        console.warn(`    ${message.split("\n", 1)[0]}`);
        const place = stack.split("\n").find((line) => line.includes(module.relativeModuleId));
        for (const line of [place ?? "", ...diff.split("\n").slice(0, maxLines)])
          if (line.trim() !== "") console.warn(`      ${line}`);
      }
    }
  }
}
