import { Fragment } from "react";

/** A metric's name, which is long and has no spaces: it goes on in the next line after one of its parts, not within. */
export const BreakableName = ({ name }: { name: string }) => (
  <span>
    {name.split(/(?<=[_./])/).map((part, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other identity, and never move
      <Fragment key={index}>
        {index > 0 && <wbr />}
        {part}
      </Fragment>
    ))}
  </span>
);
