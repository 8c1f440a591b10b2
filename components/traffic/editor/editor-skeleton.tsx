import { SkeletonBlock } from "../../ui/skeletons.tsx";

/** At the size of a form with one rule. */
export const EditorSkeleton = () => <SkeletonBlock height={420} />;
