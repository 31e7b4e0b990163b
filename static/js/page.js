// Every page works without this file. It lets a person see the password they type,
// and puts the keyboard on the error summary where the browser ignores autofocus on it.

for (const box of document.querySelectorAll("[data-password]")) addReveal(box);

const errors = document.querySelector("[data-errors]");
if (errors && !("autofocus" in errors)) errors.focus();

function addReveal(box) {
  const input = box.querySelector("input");
  const button = document.createElement("button");
  const said = document.createElement("span");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  said.className = "unseen";
  said.setAttribute("role", "status");

  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", shown ? "Hide password" : "Show password");
  };

  button.addEventListener("click", () => {
    const shown = input.type === "password";
    show(shown);
    said.textContent = shown ? "Your password is shown" : "Your password is hidden";
  });

  // A browser offers to save a password only when the field is one as the form is sent.
  input.form?.addEventListener("submit", () => show(false));
  // Coming back through history must not find it in plain sight.
  window.addEventListener("pageshow", () => show(false));

  show(false);
  input.spellcheck = false;
  input.autocapitalize = "none";
  box.append(button, said);
}
