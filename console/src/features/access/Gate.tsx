/** In front of every page: who is signed in sees it, others are shown the way in, and then see it. */
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from "react";

import { askAgainBy, SIGNED_OUT } from "@/platform/client";
import { Refused } from "@/shell/Answer";

import { SESSION, SessionContext, useSession } from "./session";

const Entering = lazy(() => import("./Entering"));
const SignInAgain = lazy(() => import("./SignInAgain"));

export function Gate({ children }: { children: ReactNode }) {
  const session = useSession();
  const queries = useQueryClient();

  const [again, setAgain] = useState<((shown: boolean) => void) | null>(null);
  const asking = useRef(false);

  useEffect(() => {
    askAgainBy(
      () =>
        new Promise((resolve) => {
          asking.current = true;
          setAgain(() => (shown: boolean) => {
            asking.current = false;
            setAgain(null);
            resolve(shown);
          });
        }),
    );
    return () => {
      askAgainBy(null);
    };
  }, []);

  useEffect(() => {
    const ended = () => {
      // Between the password and the second factor nobody is signed in, and what they began still waits.
      if (asking.current) return;
      // Of a session that was none, there is nothing to say.
      if (queries.getQueryData(SESSION)) queries.setQueryData(SESSION, null);
    };
    addEventListener(SIGNED_OUT, ended);
    return () => {
      removeEventListener(SIGNED_OUT, ended);
    };
  }, [queries]);

  if (session.data) {
    return (
      <SessionContext value={session.data}>
        {children}
        {again && (
          <Suspense>
            <SignInAgain
              email={session.data.email}
              done={() => {
                // The new session has another token, which what waits is sent with.
                void session.refetch().then(({ data }) => {
                  again(Boolean(data));
                });
              }}
              leave={(gone) => {
                again(false);
                if (gone) queries.setQueryData(SESSION, null);
              }}
            />
          </Suspense>
        )}
      </SessionContext>
    );
  }
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
