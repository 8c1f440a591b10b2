import { ListSkeleton } from "../../components/list/list-skeleton.tsx";

export default function Loading() {
  return <ListSkeleton rows={12} columns={6} rowHeight={41} />;
}
