/** Who is signed in, and what they may do. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, use } from "react";

import { answer, api, keepCsrf, Problem } from "@/platform/client";
import type { components } from "@/platform/schema";

export type Session = components["schemas"]["SessionAnswer"];
export type SignedIn = components["schemas"]["SignedInAnswer"];
export type Factor = components["schemas"]["Factor"];

export const SESSION = ["session"];

const ASKED = { queryKey: SESSION, queryFn: readSession, staleTime: 300_000 };

/** The session of this browser, null where nobody is signed in. */
export function useSession() {
  return useQuery(ASKED);
}

/** The same before anything is shown; null, too, where it cannot be said: why, is shown in place of the page. */
export function sessionAtFirst(queries: QueryClient): Promise<Session | null> {
  return queries.query(ASKED).catch(() => null);
}

async function readSession(): Promise<Session | null> {
  try {
    const session = await answer(api.GET("/api/session"));
    keepCsrf(session.csrf_token);
    return session;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

export const SessionContext = createContext<Session | null>(null);

/** Of who is signed in; there is one on every page but those that one comes in by. */
export function useMe(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("nobody is signed in");
  return session;
}

/** Whether something may be done. What may not is not offered; the server refuses it all the same. */
export function useMay(): (permission: string) => boolean {
  const session = use(SessionContext);
  return (permission) => session?.permissions.includes(permission) ?? false;
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.DELETE("/api/session"),
    onSettled: () => {
      // Nothing of what was seen stays for whoever sits down next.
      queries.clear();
      location.assign("/");
    },
  });
}

/** After coming in: everything is asked for anew, as this person. */
export function useEnter() {
  const queries = useQueryClient();
  return () => queries.resetQueries();
}
