// A page with an element `#live` follows what happens: when the server says that there is something new, that element is fetched anew.
// Without this script the page shows how it was when it was opened, and its link to itself fetches it.
(() => {
  "use strict";
  const part = document.getElementById("live");
  const button = document.getElementById("live-switch");
  if (!part || !button) return;
  let paused = false;
  let asking = false;

  const renew = async () => {
    if (paused || asking || document.hidden || part.contains(document.activeElement)) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.getElementById("live");
      if (!now) return;
      const open = [...part.querySelectorAll("details[id][open]")].map((one) => one.id);
      part.replaceChildren(...now.childNodes);
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    } catch {
      // the server is away; the stream says when it is back
    } finally {
      asking = false;
    }
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? button.dataset.go : button.dataset.pause;
    if (!paused) renew();
  });
  const stream = new EventSource("/pages/live");
  stream.addEventListener("look", renew);
  addEventListener("pagehide", () => stream.close());
})();
