// Draws /openapi.yaml. System fonts, because nothing is loaded from elsewhere.
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
