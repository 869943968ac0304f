// The page of the worker.
const worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => (document.title = data);
worker.onerror = (event) => (document.title = `no worker: ${event.message}`);
