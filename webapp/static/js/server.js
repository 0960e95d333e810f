// Requests to our own server, with its CSRF token and its way of telling errors.

/** GET `url` and return its JSON. */
export async function getJson(url) {
  return answer(await fetch(url, { headers: { Accept: "application/json" } }));
}

/** POST `fields` as a form and return the JSON answer. */
export async function post(url, fields) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  return answer(await fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) }));
}

export function csrfToken() {
  const input = document.querySelector("input[name=csrfmiddlewaretoken]");
  return input ? input.value : "";
}

async function answer(response) {
  if (response.redirected) location.reload(); // signed out meanwhile
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const body = isJson ? await response.json() : {};
  if (!response.ok) throw new Error(body.error?.message ?? "The server could not answer. Please try again.");
  return body;
}
