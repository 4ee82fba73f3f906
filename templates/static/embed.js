// Shows a survey of koe's in a page of yours:
//
//   <script src="https://koe.example.com/embed.js" data-koe="SLUG" async></script>
//
// It draws one frame where the script stands, and does nothing else: no
// cookie, no storage, no request of its own. data-height is the height in
// pixels (460), data-title the name for screen readers. Every other data-
// attribute goes into the address: data-store="12", data-lang="ja".
(function () {
  "use strict";
  var script = document.currentScript;
  if (!script) return;
  var query = new URLSearchParams({ via: "embed" });
  Array.prototype.forEach.call(script.attributes, function (attribute) {
    var name = attribute.name;
    if (name.indexOf("data-") === 0 && ["data-koe", "data-height", "data-title"].indexOf(name) < 0) {
      query.set(name.slice(5), attribute.value);
    }
  });
  var frame = document.createElement("iframe");
  frame.src = new URL("l/" + encodeURIComponent(script.getAttribute("data-koe") || "") + "?" + query, script.src).href;
  frame.title = script.getAttribute("data-title") || "Survey";
  frame.height = parseInt(script.getAttribute("data-height"), 10) || 460;
  frame.width = "100%";
  frame.style.border = "0";
  frame.setAttribute("referrerpolicy", "no-referrer");
  script.parentNode.insertBefore(frame, script.nextSibling);
})();
