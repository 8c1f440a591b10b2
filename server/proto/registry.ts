import { createRegistry } from "@bufbuild/protobuf";
import { passingFiles } from "./passing-files.ts";
import { resourceFiles } from "./resource-files.ts";

/** Of every message that a proxy's configuration may be made of. */
export const configurationFiles = [...resourceFiles, ...passingFiles];

/** All of them, so that an `Any` inside an `Any` can be read and shown as JSON. */
export const registry = createRegistry(...configurationFiles);
