/** The server's API, as its own description types it; a refusal is thrown as a problem. */
import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "./schema";

/** What the server refused, in the reader's language; `code` never changes. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly requestId: string | null,
    /** Where in what was sent it is wrong, where the server says so. */
    readonly place: string | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** There was no answer at all: the network, or a server that is not there. */
export const NO_ANSWER = "console.no_answer";

/** Told when the server no longer knows who asks. */
export const SIGNED_OUT = "shuke:signed-out";
const SAFE = ["GET", "HEAD"];
/** What the server wants before a change that matters: that who asks shows again who they are. */
const SIGN_IN_AGAIN = "access.sign_in_again";
let csrf = "";
let proves: (() => Promise<boolean>) | null = null;

/** Who is asked to show again who they are, and says whether they did; null for nobody. */
export function askAgainBy(ask: (() => Promise<boolean>) | null): void {
  proves = ask;
}

/** What goes with each write, to show that it comes from this page; it changes with the session. */
export function keepCsrf(token: string): void {
  csrf = token;
}

const manners: Middleware = {
  onRequest({ request }) {
    request.headers.set("Accept-Language", document.documentElement.lang);
    if (SAFE.includes(request.method)) return request;
    if (csrf) request.headers.set("X-Shuke-CSRF", csrf);
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (problem.status === 401) dispatchEvent(new Event(SIGNED_OUT));
    throw problem;
  },
  onError({ error }) {
    return error instanceof Problem ? error : new Problem(0, NO_ANSWER, String(error), null);
  },
};

/** Sends a request; one that wants to know again who asks is sent once more when they have shown it. */
async function send(request: Request): Promise<Response> {
  const spare = SAFE.includes(request.method) ? null : request.clone();
  const response = await fetch(request);
  if (!spare || !proves || response.status !== 403) return response;
  const problem = await problemOf(response.clone());
  if (problem.code !== SIGN_IN_AGAIN || !(await proves())) return response;
  // The token is that of the new session.
  if (csrf) spare.headers.set("X-Shuke-CSRF", csrf);
  return fetch(spare);
}

export const api = createClient<paths>({ baseUrl: "/", fetch: send });
api.use(manners);

/** The body of an answer that went well. */
export async function answer<Data>(asked: Promise<{ data?: Data }>): Promise<NonNullable<Data>> {
  const { data } = await asked;
  if (data === undefined || data === null) throw new Problem(0, NO_ANSWER, "empty", null);
  return data;
}

async function problemOf(response: Response): Promise<Problem> {
  const id = response.headers.get("x-request-id");
  const said: unknown = await response.json().catch(() => null);
  if (isProblem(said))
    return new Problem(response.status, said.code, said.detail, said.request_id ?? id, said.place ?? null);
  return new Problem(response.status, `http.${response.status}`, response.statusText, id);
}

interface Said {
  code: string;
  detail: string;
  request_id: string | null;
  place?: string | null;
}

function isProblem(said: unknown): said is Said {
  return typeof said === "object" && said !== null && "code" in said && "detail" in said;
}

export type Sent = components["schemas"]["SentBody"];

/** Send a file as it is, and say meanwhile which share has gone out. Not by `fetch`, which does not tell that. */
export function sendFile(file: File, told: (share: number) => void): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/imports/files");
    request.responseType = "text";
    request.setRequestHeader("Accept-Language", document.documentElement.lang);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    if (csrf) request.setRequestHeader("X-Shuke-CSRF", csrf);
    request.upload.onprogress = ({ loaded, total }) => {
      told(total > 0 ? loaded / total : 0);
    };
    request.onerror = () => {
      reject(new Problem(0, NO_ANSWER, "", null));
    };
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText) as Sent);
      else void problemOf(new Response(request.responseText, { status: request.status })).then(reject);
    };
    request.send(file);
  });
}
