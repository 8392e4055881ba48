/** In front of every page: who is signed in sees it, others are shown the way in, and then see it. */
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, type ReactNode } from "react";

import { SIGNED_OUT } from "@/platform/client";
import { Refused } from "@/shell/Answer";

import { SESSION, SessionContext, useSession } from "./session";

const Entering = lazy(() => import("./Entering"));

export function Gate({ children }: { children: ReactNode }) {
  const session = useSession();
  const queries = useQueryClient();

  useEffect(() => {
    const ended = () => {
      // Of a session that was none, there is nothing to say.
      if (queries.getQueryData(SESSION)) queries.setQueryData(SESSION, null);
    };
    addEventListener(SIGNED_OUT, ended);
    return () => {
      removeEventListener(SIGNED_OUT, ended);
    };
  }, [queries]);

  if (session.data) return <SessionContext value={session.data}>{children}</SessionContext>;
  if (session.data === null) {
    return (
      <Suspense>
        <Entering />
      </Suspense>
    );
  }
  if (session.error) return <Refused error={session.error} again={() => void session.refetch()} />;
  return null;
}
