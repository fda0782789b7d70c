/// <reference lib="dom" />
/** Links between pages. */
import { type ComponentChildren, createContext, h } from "preact";
import { useContext } from "preact/hooks";
import type { Address } from "./address.ts";
import type { Route } from "./route.ts";

/** Where the visitor is. */
export const AddressContext = createContext<Address | undefined>(undefined);

/** The visitor's place. */
export function useAddress(): Address {
  const address = useContext(AddressContext);
  if (!address) throw new Error("a page outside of the explorer");
  return address;
}

/** What a link may say about itself. */
export interface LinkProps {
  readonly to: Route;
  readonly class?: string;
  /** Whether the page shows this already. */
  readonly current?: boolean;
  readonly title?: string;
  /** Stay where the page is scrolled to. */
  readonly stay?: boolean;
  readonly children?: ComponentChildren;
}

/** A link: followed without loading the page anew, unless the visitor wants it elsewhere. */
export function Link({ to, class: name, current, title, stay, children }: LinkProps) {
  const address = useAddress();
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    const { scrollX, scrollY } = globalThis;
    address.go(to);
    if (stay) scrollTo(scrollX, scrollY);
  };
  const aria = current ? "true" as const : undefined;
  return h(
    "a",
    { href: address.href(to), class: name, title, "aria-current": aria, onClick: follow },
    children,
  );
}
