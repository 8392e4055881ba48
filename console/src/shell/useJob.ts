/** Long work on the server: told of as it goes on, by events, else by asking again and again. */
import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";

import { usePreferences } from "./preferences";

export type Job = components["schemas"]["JobBody"];

const ASK_AGAIN_MS = 2_000;

export function jobKey(id: string | null) {
  return ["jobs", id];
}

export function hasEnded(job: Job | undefined): boolean {
  return job !== undefined && ["done", "failed", "cancelled"].includes(job.state);
}

export function askJob(id: string): Promise<Job> {
  return answer(api.GET("/api/jobs/{job_id}", { params: { path: { job_id: id } } }));
}

/** A job and how far it is; null asks for none. */
export function useJob(id: string | null): UseQueryResult<Job> {
  const { language } = usePreferences();
  const queries = useQueryClient();
  const [deaf, setDeaf] = useState(false);
  const job = useQuery({
    queryKey: jobKey(id),
    queryFn: () => askJob(id ?? ""),
    enabled: id !== null,
    refetchInterval: ({ state }) => (deaf && !hasEnded(state.data) ? ASK_AGAIN_MS : false),
  });
  const goesOn = job.data !== undefined && !hasEnded(job.data);

  useEffect(() => {
    if (id === null || !goesOn) return;
    const source = new EventSource(`/api/jobs/${id}/events?language=${language}`);
    source.onmessage = (event: MessageEvent<string>) => {
      queries.setQueryData(jobKey(id), JSON.parse(event.data) as Job);
    };
    source.onerror = () => {
      // Where the browser does not try again by itself, there are no events to be had.
      if (source.readyState === EventSource.CLOSED) setDeaf(true);
    };
    return () => {
      source.close();
    };
  }, [id, goesOn, language, queries]);

  return job;
}
