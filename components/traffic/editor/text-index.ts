import { keyText, type Workbench, type WorkObject } from "./use-workbench.ts";

/** Which of the texts that are applied together is an object's; -1: it is not among them. */
export const textIndex = (bench: Workbench, object: WorkObject): number =>
  bench.changed.filter(({ draft }) => !draft?.removed).findIndex((one) => keyText(one) === keyText(object));
