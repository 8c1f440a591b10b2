import { TopologySkeleton } from "../../components/mesh-graph/topology-skeleton.tsx";

export default function Loading() {
  return <TopologySkeleton />;
}
