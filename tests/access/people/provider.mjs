// A provider of identities (OpenID Connect), certified, that signs in whom the test says: POST /as {"sub": …, claims}.
// Arguments: the package's folder, and as JSON the clients. Prints its issuer.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [folder, clients] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${folder}/oidc-provider/lib/index.js`));
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
let person = { sub: "nobody" };
let provider;

async function body(request) {
  let text = "";
  for await (const part of request) text += part;
  return JSON.parse(text);
}

async function interact(request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (person.denies) {
    return provider.interactionFinished(request, response, { error: "access_denied" });
  }
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: person.sub } });
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope("openid email profile");
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

const server = createServer(async (request, response) => {
  if (request.url === "/as") {
    person = await body(request);
    response.end();
  } else if (request.url.startsWith("/interaction/")) {
    await interact(request, response);
  } else {
    provider.callback()(request, response);
  }
});
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provider = new Provider(issuer, {
    clients: JSON.parse(clients),
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ ...person, sub }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", kid: "first" }] },
  });
  console.log(issuer);
});
