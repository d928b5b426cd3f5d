// A part of a page that asks again on a timer: quiet while the tab is hidden, reloaded when it is no longer the person's to see.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.hasAttribute("data-live")) event.preventDefault();
});
document.addEventListener("htmx:responseError", (event) => {
  if (event.target.hasAttribute("data-live") && [401, 403, 404].includes(event.detail.xhr.status)) location.reload();
});
