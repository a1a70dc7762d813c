/** @module A screen that throws is told as a fault; the rest of the page stays. */
import { Component, type ReactNode } from "react";
import { FaultNote } from "../parts/blocks.tsx";
import { faultOf, type PageFault } from "../parts/page.tsx";

interface Props {
  readonly children: ReactNode;
}

/** Catches what a screen throws. Another address is another boundary: give it the address as its key. */
export class Boundary extends Component<Props, { readonly fault: PageFault | undefined }> {
  override readonly state: { readonly fault: PageFault | undefined } = { fault: undefined };

  static getDerivedStateFromError(error: unknown): { readonly fault: PageFault } {
    return { fault: faultOf(error) };
  }

  override render(): ReactNode {
    const { fault } = this.state;
    return fault === undefined ? this.props.children : <FaultNote fault={fault} />;
  }
}
