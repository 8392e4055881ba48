/** A way to another page that looks like a button. */
import { Button, type ButtonProps } from "antd";
import type { MouseEvent } from "react";
import { useHref, useLinkClickHandler } from "react-router";

export function LinkButton({ to, ...button }: ButtonProps & { to: string }) {
  const href = useHref(to);
  const go = useLinkClickHandler(to);
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
