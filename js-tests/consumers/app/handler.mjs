// A Worker: the environment comes with each request.
import { main } from "./main.mjs";

export default {
  async fetch(request, env) {
    return new Response(await main(env));
  },
};
