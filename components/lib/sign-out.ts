import { z } from "zod";
import { sendJson } from "./api.ts";

const answer = z.object({});

/** Of this browser, or `everywhere`. What is on the page goes with it. */
async function leave(everywhere: boolean): Promise<void> {
  await sendJson(answer, "POST", "/api/sign-out", { everywhere }).catch(() => undefined);
  window.location.assign("/sign-in");
}

export const signOut = (): void => void leave(false);
export const signOutEverywhere = (): void => void leave(true);
