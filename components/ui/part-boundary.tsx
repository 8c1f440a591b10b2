"use client";
import { Component, type ReactNode } from "react";
import { reportMissing } from "./missing-parts.ts";

/** Around what is fetched once somebody wants it: without it the page is still worth having. */
export class PartBoundary extends Component<{ instead?: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    reportMissing(error);
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.instead : this.props.children;
  }
}
