/** A server that offers a model to its own clients, with Candor between them. */
import express from "express";
import { openCandor } from "../src/library.ts";

const candor = await openCandor({ config: process.env.CANDOR_CONFIG ?? "candor.yaml", controlPort: true });

const app = express();
// Before anything that reads bodies. Who may ask is the app's own business, and comes before this line.
app.use("/v1", candor.middleware);

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}/v1, dashboard ${candor.controlUrl}`);
});

process.once("SIGTERM", () => {
  server.close(() => void candor.close());
});
