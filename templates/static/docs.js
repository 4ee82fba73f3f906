// Draws /openapi.yaml. System fonts, because nothing is loaded from elsewhere;
// for the same reason redoc.standalone.js has one change: the address of its
// maker's logo is "data:,".
Redoc.init(
  "/openapi.yaml",
  {
    disableSearch: true,
    hideDownloadButtons: false,
    requiredPropsFirst: true,
    theme: {
      typography: {
        fontFamily: "system-ui, sans-serif",
        headings: { fontFamily: "system-ui, sans-serif" },
        code: { fontFamily: "ui-monospace, monospace" },
      },
    },
  },
  document.getElementById("docs"),
);
