import type { ToStringOptions } from "yaml";

/** How a YAML text is written, so that what is added to it looks alike. */
export function textStyle(text: string): ToStringOptions {
  const indent = /^[^\s#-][^\n]*:\s*\n( +)(?=[^\s#-])/m.exec(text)?.[1]?.length ?? 2;
  return {
    lineWidth: 0,
    indent: Math.min(8, Math.max(2, indent)),
    indentSeq: !/^( *)(?! )[^\n#]*:[ \t]*\n\1- /m.test(text),
    flowCollectionPadding: !/\{[^\s}]/.test(text),
  };
}
