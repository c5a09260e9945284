/** `preact.js` is htm's build of Preact with its hooks, served beside these pages. */
export * from "htm/preact";
