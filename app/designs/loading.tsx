import { Page } from "../../components/ui/page-header.tsx";
import { SkeletonBlock } from "../../components/ui/skeletons.tsx";

export default function Loading() {
  return (
    <Page>
      <SkeletonBlock height={480} />
    </Page>
  );
}
