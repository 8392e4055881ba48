/** A way to another page that looks like a button. */
import { Button, type ButtonProps } from "antd";
import type { MouseEvent } from "react";
import { useHref, useLinkClickHandler } from "react-router";

/** `state` is what the other page is told beside its address. */
export function LinkButton({ to, state, ...button }: ButtonProps & { to: string; state?: unknown }) {
  const href = useHref(to);
  const go = useLinkClickHandler(to, { state });
  return (
    <Button
      {...button}
      href={href}
      onClick={(event) => {
        go(event as MouseEvent<HTMLAnchorElement>);
      }}
    />
  );
}
