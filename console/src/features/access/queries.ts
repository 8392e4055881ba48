/** What is asked of the room `access`, beside who is signed in. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/platform/client";
import { tagged } from "@/platform/editing";
import type { components } from "@/platform/schema";

export type User = components["schemas"]["User"];
export type Role = components["schemas"]["RoleBody"];
export type Team = components["schemas"]["Team"];
export type Key = components["schemas"]["KeyBody"];

export const ROLES = ["roles"];
export const USERS = ["users"];
export const TEAMS = ["teams"];
export const KEYS = ["keys"];
export const INVITATIONS = ["invitations"];
const PAGE = 100;

export function useRoles(): readonly Role[] {
  const roles = useQuery({ queryKey: ROLES, queryFn: () => answer(api.GET("/api/roles")) });
  return roles.data?.items ?? [];
}

export function useTeams(): readonly Team[] {
  const teams = useQuery({ queryKey: TEAMS, queryFn: () => answer(api.GET("/api/teams")) });
  return teams.data?.items ?? [];
}

export function useUsers() {
  return useInfiniteQuery({
    queryKey: USERS,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => answer(api.GET("/api/users", { params: { query: { after: pageParam, limit: PAGE } } })),
    getNextPageParam: (page) => page.next,
  });
}

export function useKeys() {
  return useInfiniteQuery({
    queryKey: KEYS,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => answer(api.GET("/api/keys", { params: { query: { after: pageParam, limit: PAGE } } })),
    getNextPageParam: (page) => page.next,
  });
}

export function ofRole(name: string) {
  const params = { path: { name } };
  return { name: [...ROLES, name], read: () => tagged(api.GET("/api/roles/{name}", { params })) };
}

export function ofUser(id: string) {
  const params = { path: { user_id: id } };
  return { name: [...USERS, id], read: () => tagged(api.GET("/api/users/{user_id}", { params })) };
}

export function ofTeam(id: string) {
  const params = { path: { team_id: id } };
  return { name: [...TEAMS, id], read: () => tagged(api.GET("/api/teams/{team_id}", { params })) };
}
