// The GraphQL playground of development: fills in examples, sends operations, shows answers.

const form = document.querySelector("[data-playground]");
const { query, variables, token } = form.elements;
const status = document.querySelector("[data-status]");
const answer = document.querySelector("[data-answer]");

const credentials = { email: "alice@example.com", password: "correct horse 17" };
const signing = (name) => `mutation ($email: String!, $password: String!) {
  ${name}(email: $email, password: $password) {
    status
    errors { path message }
    payload
  }
}`;
const EXAMPLES = {
  register: { query: signing("register"), variables: credentials },
  login: { query: signing("login"), variables: credentials },
  me: { query: "{\n  me { id email confirmed createdAt updatedAt }\n}", token: "access_token" },
  refresh: { query: "mutation {\n  refresh\n}", token: "refresh_token" },
  logout: { query: "mutation {\n  logout\n}", token: "refresh_token" },
};

// Of the last login; they are kept nowhere but on this page.
let tokens = {};

for (const button of form.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => fillIn(EXAMPLES[button.dataset.example]));
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
fillIn(EXAMPLES.login);

function fillIn(example) {
  query.value = example.query;
  variables.value = example.variables ? JSON.stringify(example.variables, null, 2) : "";
  token.value = tokens[example.token] ?? "";
}

async function run() {
  let body;
  try {
    body = JSON.stringify({
      query: query.value,
      variables: variables.value.trim() ? JSON.parse(variables.value) : null,
    });
  } catch {
    status.textContent = "The variables are not JSON. Mend them and run it again.";
    variables.focus();
    return;
  }
  const headers = { "Content-Type": "application/json" };
  if (token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
  status.textContent = "Waiting for the answer.";
  try {
    const response = await fetch(form.action, {
      method: "POST", headers, body, credentials: "omit",
    });
    const reply = await response.json();
    keepTokens(reply.data ?? {});
    status.textContent = `Status ${response.status}.`;
    answer.textContent = JSON.stringify(reply, null, 2);
    answer.hidden = false;
  } catch {
    status.textContent = "No answer came. Is the site still running?";
  }
}

function keepTokens(data) {
  const payload = data.login?.payload ?? data.register?.payload;
  if (payload) tokens = JSON.parse(payload);
  if (data.refresh) tokens.access_token = data.refresh;
}
