import { describe } from "vitest";
import { connectionJourney } from "./connection-journey.ts";
import { editorJourney } from "./editor-journey.ts";
import { policyJourney } from "./policy-journey.ts";
import { meshAndBrowser } from "./running.ts";
import { browser as chromium } from "./tools.ts";

describe.skipIf(chromium.missing)(`the editor of traffic${chromium.reason}`, () => {
  const running = meshAndBrowser();
  editorJourney(running);
  policyJourney(running);
  connectionJourney(running);
});
