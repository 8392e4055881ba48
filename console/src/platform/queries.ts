/** How answers are kept: shown at once from before, asked again when they may be old, never asked twice at a time. */
import { QueryClient } from "@tanstack/react-query";

import { Problem } from "./client";

export function openQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        refetchOnWindowFocus: true,
        // What was refused is refused again; only what may pass is worth another try.
        retry: (tries, error) => tries < 2 && mayPass(error),
      },
    },
  });
}

export function mayPass(error: unknown): boolean {
  return error instanceof Problem && (error.status === 0 || error.status === 503);
}
